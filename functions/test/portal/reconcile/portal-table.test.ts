import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { Member } from '../../../src/domain/member/member.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, makeTombstone, sourceHash } from '../../../src/domain/member/patch.ts';
import { makeSetDigest } from '../../../src/portal/reconcile/compact.ts';
import type { Quarantined } from '../../../src/portal/reconcile/compare-members.ts';
import { planRemovals } from '../../../src/portal/reconcile/portal-mirror.ts';
import { makePortalTable } from '../../../src/portal/reconcile/portal-table.ts';
import { NESTED } from '../../domain/member/support/wire-members.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

const PEOPLE = makeKennitalas(5_000);
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
