import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { Member } from '../../../src/domain/member/member.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, makeTombstone, sourceHash } from '../../../src/domain/member/patch.ts';
import { makeKennitalaSet, makeSetDigest } from '../../../src/portal/reconcile/compact.ts';
import type { Quarantined } from '../../../src/portal/reconcile/compare-members.ts';
import { differencesOf } from '../../../src/portal/reconcile/difference.ts';
import { planRemovals } from '../../../src/portal/reconcile/portal-mirror.ts';
import { makePortalTable } from '../../../src/portal/reconcile/portal-table.ts';
import { NESTED } from '../../domain/member/support/wire-members.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

const PEOPLE = makeKennitalas(5_000);
const [LAST = '' as Kennitala] = makeKennitalas(1, 5_000);
const [KENNITALA = '' as Kennitala] = PEOPLE;
const said = parseRegistryMember({ ...NESTED, ssn: KENNITALA });
const member = applyPatch(null, said);
const hash = sourceHash(member);
const gone = makeTombstone(member, KENNITALA);
const SOUND = { django_id: 813, source_version: 9, source_hash: hash, deleted_at: null };

const tableOf = (held: Member, meta: Parameters<ReturnType<typeof makePortalTable>['add']>[1]['meta']) => {
  const builder = makePortalTable();
  builder.add(KENNITALA, { member: held, meta }, 's');
  return builder.finish();
};

interface HeldRow {
  readonly kennitala: Kennitala;
  readonly held: Member;
  readonly meta: Parameters<typeof tableOf>[1];
}
const digestOfRows = (rows: readonly HeldRow[]): string => {
  const builder = makePortalTable();
  for (const { kennitala, held, meta } of rows) builder.add(kennitala, { member: held, meta }, 's');
  return builder.finish().digest();
};

describe('the table of what the portal holds', () => {
  it('finds every one of thousands, with its state, and nobody else', () => {
    const builder = makePortalTable();
    for (const [n, kennitala] of PEOPLE.entries()) {
      if (n % 2 === 0) builder.add(kennitala, { member, meta: SOUND }, `state ${n}`);
    }
    const table = builder.finish();
    expect(table).toMatchObject({ length: 2_500, active: 2_500 });
    for (const [n, kennitala] of PEOPLE.entries()) {
      const row = table.find(kennitala);
      expect(row === null ? null : table.state(row)).toBe(n % 2 === 0 ? `state ${n}` : null);
    }
  });

  it('holds what it held before it had to grow, and what came after', () => {
    const builder = makePortalTable();
    const short = makePortalTable();
    const digestOfRow = (n: number) => ({ a: n, b: n + 1 });
    for (const [n, kennitala] of PEOPLE.entries()) {
      const meta = { ...SOUND, django_id: n, source_version: n, digest: digestOfRow(n) };
      builder.add(kennitala, { member, meta }, `state ${n}`);
      if (n < 4_000) short.add(kennitala, { member, meta }, `state ${n}`);
    }
    const table = builder.finish();
    expect(table).toMatchObject({ length: 5_000, active: 5_000 });
    for (const n of [0, 4_095, 4_096, 4_999]) {
      const registry = { ...said, djangoId: n, version: n, digest: digestOfRow(n) };
      expect(table.find(PEOPLE[n] as Kennitala)).toBe(n);
      expect(table.state(n)).toBe(`state ${n}`);
      expect(table.holds(n, registry, hash)).toBe(true);
      expect(table.holds(n, { ...registry, version: n + 1 }, hash)).toBe(false);
      expect(table.holds(n, { ...registry, djangoId: n + 1 }, hash)).toBe(false);
      expect(table.holds(n, { ...registry, digest: digestOfRow(n + 1) }, hash)).toBe(false);
      expect(table.markSeen(n)).toBe(true);
      expect(table.markSeen(n)).toBe(false);
    }
    expect([...table.unseen()]).toHaveLength(4_996);
    expect(table.digest()).not.toBe(short.finish().digest());
  });

  it.each([
    ['the same', member, SOUND, said, true],
    ['the same, of a registry without versions', member, SOUND, { ...said, version: null }, true],
    ['the same, of a registry without row numbers', member, SOUND, { ...said, djangoId: null }, true],
    ['another version', member, { ...SOUND, source_version: 8 }, said, false],
    ['no version', member, { ...SOUND, source_version: null }, said, false],
    [
      'no version, and no event yet',
      member,
      { ...SOUND, source_version: null },
      { ...said, version: 0 },
      true,
    ],
    ['a version, and no event yet', member, SOUND, { ...said, version: 0 }, false],
    ['another row number', member, { ...SOUND, django_id: null }, said, false],
    ['another hash in the metadata', member, { ...SOUND, source_hash: null }, said, false],
    ['a time of deletion', member, { ...SOUND, deleted_at: new Date() }, said, false],
    ['a tombstone', gone, { ...SOUND, source_hash: sourceHash(gone), deleted_at: new Date() }, said, false],
  ])('holds a member whose document is %s: %#', (_what, held, meta, registry, expected) => {
    expect(tableOf(held, meta).holds(0, registry, hash)).toBe(expected);
  });

  it('does not hold another content', () => {
    const other = sourceHash(applyPatch(member, { ...said, content: { 'profile.name': 'Another' } }));
    expect(tableOf(member, SOUND).holds(0, said, other)).toBe(false);
  });

  it.each([
    ['the same', { a: 1, b: 2 }, { a: 1, b: 2 }, true],
    ['another one at its end', { a: 1, b: 2 }, { a: 1, b: 9 }, false],
    ['another one at its beginning', { a: 1, b: 2 }, { a: 9, b: 2 }, false],
    ['one where none was known', undefined, { a: 0, b: 0 }, false],
    ['none any more', { a: 1, b: 2 }, undefined, true],
  ])('holds a member of whom the registry says %s as a digest', (_what, digest, saysNow, expected) => {
    const table = tableOf(member, digest === undefined ? SOUND : { ...SOUND, digest });
    const { digest: _, ...rest } = said;
    expect(table.holds(0, saysNow === undefined ? rest : { ...rest, digest: saysNow }, hash)).toBe(expected);
  });

  it('takes the first version and the first row number for what they are, and not for none', () => {
    const table = tableOf(member, { ...SOUND, django_id: null, source_version: null });
    expect(table.holds(0, { ...said, djangoId: null, version: 1 }, hash)).toBe(false);
    expect(table.holds(0, { ...said, djangoId: 1, version: null }, hash)).toBe(false);
    expect([...table.unseen()]).toEqual([{ kennitala: KENNITALA, djangoId: null, row: 0 }]);
    const first = tableOf(member, { ...SOUND, django_id: 1 });
    expect([...first.unseen()]).toEqual([{ kennitala: KENNITALA, djangoId: 1, row: 0 }]);
  });

  it('has another digest wherever anything of any row differs', () => {
    const digest = { a: 1, b: 2 };
    const renamed = { ...member, profile: { ...member.profile, name: 'Another' } };
    const digestOf = (change: (n: number) => Partial<HeldRow>) =>
      digestOfRows(
        [0, 1, 2].map((n) => ({
          kennitala: PEOPLE[n] as Kennitala,
          held: member,
          meta: { ...SOUND, digest },
          ...change(n),
        })),
      );
    const digests = [
      digestOf(() => ({})),
      ...[0, 2].flatMap((place) => {
        const at = (change: object) => digestOf((n) => (n === place ? change : {}));
        return [
          at({ kennitala: PEOPLE[place + 10] }),
          at({ held: renamed, meta: { ...SOUND, digest, source_hash: sourceHash(renamed) } }),
          at({ meta: { ...SOUND, digest, source_version: 8 } }),
          at({ meta: { ...SOUND, digest: { a: 1, b: 3 } } }),
          at({ meta: SOUND }),
        ];
      }),
    ];
    expect(new Set(digests).size).toBe(11);
  });

  it('has a digest of what was held, whoever was seen since', () => {
    const table = tableOf(member, SOUND);
    const before = table.digest();
    expect(table.markSeen(0)).toBe(true);
    expect(table.markSeen(0)).toBe(false);
    expect(table.digest()).toBe(before);
    expect(tableOf(member, { ...SOUND, source_version: 8 }).digest()).not.toBe(before);
    expect(tableOf(gone, SOUND).digest()).not.toBe(before);
  });
});

describe('what holds a million in columns', () => {
  it('knows who was added before, among thousands of neighbours', () => {
    const set = makeKennitalaSet();
    const all = [
      ...PEOPLE,
      ...Array.from({ length: 2_000 }, (_, n) => String(8_000_000_000 + n) as Kennitala),
    ];
    expect(all.every((kennitala) => set.add(kennitala))).toBe(true);
    expect(all.some((kennitala) => set.add(kennitala))).toBe(false);
  });

  it('answers differences in the order of their numbers, each as it was added', () => {
    const some = [3, 1, 2, 0].map((n) => ({
      kennitala: PEOPLE[n] ?? KENNITALA,
      kind: (['create', 'revive', 'update', 'remove'] as const)[n] ?? 'update',
      digest: n === 3 ? '' : Buffer.alloc(16, n).toString('base64url'),
      ifState: n === 0 ? null : `state ${n}`,
      isMissed: n % 2 === 0,
      ...(n === 2 && { former: { 'profile.reachable': new Date(0) } }),
    }));
    const differences = differencesOf(some);
    const ascending = some.toSorted((a, b) => (a.kennitala < b.kennitala ? -1 : 1));
    expect([...differences]).toEqual(ascending);
    expect(ascending.map(({ kennitala }) => differences.find(kennitala))).toEqual([0, 1, 2, 3]);
    expect(differences.find(PEOPLE[9] ?? KENNITALA)).toBeNull();
    expect([differences.count(['create', 'revive']), differences.hasMissed()]).toEqual([2, true]);
  });
});

describe('thousands of differences', () => {
  const KINDS = ['create', 'revive', 'update', 'remove'] as const;
  const all = PEOPLE.map((kennitala, n) => {
    const kind = KINDS[n % 4] ?? 'update';
    return {
      kennitala,
      kind,
      digest: kind === 'remove' ? '' : createHash('md5').update(kennitala).digest('base64url'),
      ifState: kind === 'create' ? null : `state ${n}`,
      isMissed: false,
    };
  });

  it.each([
    ['as they came', all],
    ['however they came', [...all.slice(2_000).toReversed(), ...all.slice(0, 2_000)]],
  ])('are what they were when they were added, %s', (_what, given) => {
    const differences = differencesOf(given);
    expect(differences.length).toBe(5_000);
    expect([...differences]).toEqual(all);
    for (const n of [0, 1, 2_499, 4_095, 4_096, 4_999]) {
      expect(differences.find(all[n]?.kennitala ?? KENNITALA)).toBe(n);
      expect(differences.at(n)).toEqual(all[n]);
    }
    const ofKinds = (...kinds: (typeof KINDS)[number][]) =>
      all.filter(({ kind }) => kinds.includes(kind)).map(({ kennitala }) => kennitala);
    for (const kinds of [['create', 'revive'], ['update'], ['remove']] as (typeof KINDS)[number][][]) {
      expect([...differences.kennitalas(kinds)]).toEqual(ofKinds(...kinds));
      expect(differences.count(kinds)).toBe(1_250 * kinds.length);
    }
    expect(differences.hasMissed()).toBe(false);
  });

  it('of which one was missed are known to have missed ones', () => {
    expect(
      differencesOf(all, [{ ...(all[0] as (typeof all)[0]), kennitala: LAST, isMissed: true }]).hasMissed(),
    ).toBe(true);
    expect([differencesOf().length, differencesOf().hasMissed()]).toEqual([0, false]);
  });
});

describe('removals', () => {
  const table = () => {
    const builder = makePortalTable();
    for (const [n, kennitala] of PEOPLE.slice(0, 4).entries()) {
      builder.add(kennitala, { member: n === 3 ? gone : member, meta: { ...SOUND, django_id: n } }, `s${n}`);
    }
    const made = builder.finish();
    made.markSeen(0);
    return made;
  };
  const unreadable = (given: Partial<Quarantined>): Quarantined => ({
    position: 0,
    kennitala: null,
    djangoId: null,
    reason: '',
    ...given,
  });

  it.each([
    ['nobody is unreadable', [], [1, 2], 0],
    ['one is, and has a row number', [unreadable({ djangoId: 2 })], [1], 1],
    ['one is, whose number is known', [unreadable({ kennitala: KENNITALA, djangoId: 2 })], [1, 2], 0],
    ['one is, who could be anybody', [unreadable({})], [], 2],
  ])('are the active ones on no page, when %s', (_what, quarantined, rows, withheld) => {
    const planned = planRemovals(table(), quarantined);
    expect(Array.from(planned.differences, ({ ifState }) => ifState)).toEqual(rows.map((row) => `s${row}`));
    expect(planned.withheld).toBe(withheld);
  });
});

describe('the digest of a set', () => {
  const digest = (texts: readonly string[]) => {
    const set = makeSetDigest();
    for (const text of texts) set.add(text);
    return set.finish();
  };
  it('does not depend on the order, and differs for other sets', () => {
    expect(digest(['a', 'b', 'c'])).toBe(digest(['c', 'a', 'b']));
    expect(new Set([[], ['a'], ['b'], ['a', 'b'], ['ab']].map(digest)).size).toBe(5);
  });
});
