import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COLLECTIONS, type Collection } from '../../../src/adapters/firestore/collections.ts';
import { makeFirestoreErasure } from '../../../src/adapters/firestore/erase-documents.ts';
import { eraseStoreName } from '../../../src/ops/schemas/person.ts';
import { chain } from '../../support/chain.ts';

const SRC = fileURLToPath(new URL('../../../src/', import.meta.url));
const namesIn = (pattern: string, name: RegExp): Set<string> =>
  new Set(
    globSync(pattern, { cwd: SRC }).flatMap((file) =>
      [...readFileSync(`${SRC}${file}`, 'utf8').matchAll(name)].map(([, found = '']) => found),
    ),
  );

const file = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const table = Object.entries(COLLECTIONS) as [string, Collection][];

describe('the table of collections', () => {
  it('names every collection that the code writes or reads', () => {
    const used = namesIn('**/*.ts', /collection(?:Group)?\('(\w+)'\)/g);
    expect(used.size).toBeGreaterThan(6);
    expect([...used].filter((name) => !(name in COLLECTIONS))).toEqual([]);
  });

  it('names every collection that the rules or the triggers speak of', () => {
    const rules = [...file('firestore.rules').matchAll(/match \/(\w+)\/\{\w+\}/g)].map(
      ([, name = '']) => name,
    );
    const triggers = namesIn('triggers/*.ts', /document: '(\w+)\//g);
    expect(rules.length).toBeGreaterThan(4);
    expect([...rules, ...triggers].filter((name) => name !== 'databases' && !(name in COLLECTIONS))).toEqual(
      [],
    );
  });

  it('is what docs/data-protection.md tells of', () => {
    const told = [...file('docs/data-protection.md').matchAll(/^\| Firestore (.+?) \|/gm)].flatMap(
      ([, cell = '']) => [...cell.matchAll(/`(?:[\w*]+\/)*(\w+)`/g)].map(([, name]) => name),
    );
    expect([...new Set(told)].toSorted()).toEqual(Object.keys(COLLECTIONS).toSorted());
  });

  it('says what the TTL policies and indexes say', () => {
    const { fieldOverrides, indexes } = JSON.parse(file('firestore.indexes.json')) as {
      fieldOverrides: { collectionGroup: string; fieldPath: string; ttl: boolean; indexes: object[] }[];
      indexes: { collectionGroup: string }[];
    };
    const policies = fieldOverrides
      .filter(({ ttl }) => ttl)
      .map(({ collectionGroup, fieldPath }) => `${collectionGroup}.${fieldPath}`);
    const expiring = table.flatMap(([name, { expires }]) => (expires === null ? [] : [`${name}.${expires}`]));
    expect(policies.toSorted()).toEqual(expiring.toSorted());
    for (const { collectionGroup } of [...fieldOverrides, ...indexes]) {
      expect(COLLECTIONS).toHaveProperty(collectionGroup);
    }
    // A search over all lists needs an index of its own.
    const searched = table.flatMap(([name, { person }]) =>
      person?.by === 'lists' ? person.fields.map((field) => `${name}.${field}`) : [],
    );
    const indexed = fieldOverrides
      .filter((one) => JSON.stringify(one.indexes).includes('COLLECTION_GROUP'))
      .map(({ collectionGroup, fieldPath }) => `${collectionGroup}.${fieldPath}`);
    expect(indexed).toEqual(expect.arrayContaining(searched));
  });

  it('is what an erasure goes over, place by place', () => {
    const holding = table
      .filter(([, { person }]) => person !== null)
      .map(([name, { below }]) => (below === undefined ? name : `${below}/*/${name}`));
    const places = makeFirestoreErasure(() => Promise.reject(new Error('not asked')), chain).flatMap(
      (store) => store.places,
    );
    expect(places.toSorted()).toEqual([...holding, 'free texts of operators'].toSorted());
    expect(eraseStoreName.options).toEqual(expect.arrayContaining(places));
  });
});

it('every table of the register is erased from', () => {
  const made = namesIn(
    'adapters/postgres/migrations/*.sql',
    /create table (?:if not exists )?(public\.\w+)/g,
  );
  const places = eraseStoreName.options.filter((place) => place.startsWith('public.'));
  expect([...made].toSorted()).toEqual(places.toSorted());
});

it('docs/ops-api.md names every place', () => {
  const text = file('docs/ops-api.md');
  expect(eraseStoreName.options.filter((place) => !text.includes(`\`${place}\``))).toEqual([]);
});
