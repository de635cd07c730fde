import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eraseStoreName } from '../../src/ops/schemas/erase.ts';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const namesIn = (pattern: string, name: RegExp): Set<string> =>
  new Set(
    globSync(pattern, { cwd: SRC }).flatMap((file) =>
      [...readFileSync(`${SRC}${file}`, 'utf8').matchAll(name)].map(([, found = '']) => found),
    ),
  );

/** Places without a number; what they have of a person is at most the opaque reference, which stays on purpose. */
const HOLDS_NOBODY = ['operator_actions', 'roster_refreshes', 'sync_audit', 'sync_logs', 'sync_state'];

it('every collection of Firestore is either erased from, or known to hold no number', () => {
  const used = namesIn('**/*.ts', /collection(?:Group)?\('(\w+)'\)/g);
  const places = eraseStoreName.options.map((place) => place.split('/').at(-1) ?? '');
  expect(used.size).toBeGreaterThan(6);
  expect([...used].filter((name) => !places.includes(name) && !HOLDS_NOBODY.includes(name))).toEqual([]);
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
  const text = readFileSync(new URL('../../../docs/ops-api.md', import.meta.url), 'utf8');
  expect(eraseStoreName.options.filter((place) => !text.includes(`\`${place}\``))).toEqual([]);
});
