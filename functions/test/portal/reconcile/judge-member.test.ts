import { describe, expect, it } from 'vitest';
import type { StoredMember } from '../../../src/domain/member/decide-change.ts';
import type { PendingEdit } from '../../../src/domain/member/kept-values.ts';
import type { MemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, makeTombstone, sourceHash } from '../../../src/domain/member/patch.ts';
import { judgeMember } from '../../../src/portal/reconcile/decide-member.ts';
import { KENNITALA } from '../../domain/member/support/wire-members.ts';

const NOW = new Date('2026-11-20T04:00:00Z');
/** What the registry keeps of a member whose fields are all empty, and what fills one of them each. */
const EMPTY = {
  id: 813,
  ssn: KENNITALA,
  name: '',
  birthday: null,
  gender: 0,
  housing_situation: 0,
  reachable: false,
  groupable: false,
  date_joined: null,
  contact_info: { email: '', phone: '', foreign_phone: '', facebook: '' },
  local_address: null,
  foreign_addresses: [],
  unions: [],
  titles: [],
};
const FILLING: readonly object[] = [
  { name: 'Generated Person' },
  { birthday: '1990-01-15' },
  { reachable: true },
  { groupable: true },
  { date_joined: '2020-01-15' },
  { unions: [{ name: 'Efling' }] },
  { titles: [{ name: 'Gjaldkeri' }] },
  { gender: 1 },
];
/** A member of whom so many fields are filled. */
const filled = (count: number, version: number | null = 4) =>
  parseRegistryMember({ ...Object.assign({}, EMPTY, ...FILLING.slice(0, count)), version });

const stored = (
  content: ReturnType<typeof filled>,
  more: Partial<StoredMember['meta']> = {},
): StoredMember => {
  const member = applyPatch(null, content);
  return {
    member,
    meta: {
      django_id: 813,
      source_version: content.version,
      source_hash: sourceHash(member),
      deleted_at: null,
      ...more,
    },
  };
};
const says = (content: ReturnType<typeof filled>): MemberChange => ({
  kennitala: KENNITALA,
  action: 'update',
  version: content.version,
  occurredAt: null,
  content,
});
const GONE: MemberChange = {
  kennitala: KENNITALA,
  action: 'delete',
  version: null,
  occurredAt: null,
  content: null,
};
const judged = (held: StoredMember | null, change: MemberChange, pending: readonly PendingEdit[] = []) =>
  judgeMember(held, change, { pending, former: undefined, now: NOW });

describe('the registry’s word about one member', () => {
  it.each([
    ['of whom neither knows', null, GONE, 'unchanged', 'Neither the registry nor the portal has the member.'],
    ['that the portal did not have', null, says(filled(5)), 'write', 'The portal did not have the member.'],
    ['that is as it was', stored(filled(5)), says(filled(5)), 'unchanged', 'The portal shows this already.'],
    [
      'of whom the version moved alone',
      stored(filled(5, 3)),
      says(filled(5)),
      'write',
      'The content is the same; only the version or the hash is brought up.',
    ],
    [
      'that differs',
      stored(filled(5)),
      says(filled(6, 5)),
      'write',
      'The registry’s content differs from the portal’s.',
    ],
    [
      'that came back',
      { ...stored(filled(5)), member: makeTombstone(applyPatch(null, filled(5)), KENNITALA) },
      says(filled(5, 5)),
      'write',
      'The registry has the member again.',
    ],
    [
      'that is older than what the portal has',
      stored(filled(5, 7)),
      says(filled(6, 6)),
      'stale',
      'The portal has version 7, the registry shows 6: the newer one stands.',
    ],
  ] as const)('%s', (_name, held, change, kind, reason) => {
    const judgement = judged(held, change);
    expect(judgement).toMatchObject({ kind, reasons: [reason] });
    if ('keptEdits' in judgement) expect(judgement.keptEdits).toEqual([]);
  });

  it('that they are gone makes them inactive, and says both', () => {
    expect(judged(stored(filled(5)), GONE)).toMatchObject({
      kind: 'write',
      decision: { member: { membership: { status: 'inactive' } } },
      reasons: ['The registry has no such member any more.', 'The member is shown as inactive from now on.'],
    });
  });

  it.each([
    ['equal', says(filled(5)), 'unchanged'],
    ['that differs elsewhere', says(filled(6, 5)), 'write'],
  ] as const)('%s names the edits that wait, and keeps them', (_name, change, kind) => {
    const held = stored(filled(5));
    const member = { ...held.member, profile: { ...held.member.profile, email: 'mine@postur.example' } };
    const pending: PendingEdit = { path: 'profile.email', value: 'mine@postur.example', editedAt: NOW };
    const judgement = judged({ ...held, member }, change, [pending]);
    expect(judgement).toMatchObject({ kind, keptEdits: ['profile.email'] });
    expect(judgement.reasons[0]).toBe('profile.email: the member’s own edit waits for delivery and stays.');
    expect(judgement.reasons).toHaveLength(2);
  });

  // A field of the status is never empty but for members, so `filled(n)` has n filled fields.
  it.each([
    ['three of five', 5, 2, 'guarded'],
    ['three of six, which is half', 6, 3, 'write'],
    ['four of seven', 7, 3, 'guarded'],
    ['two of two, too few to tell', 2, 0, 'write'],
    ['three of three', 3, 0, 'guarded'],
  ])('that empties %s', (_name, before, after, kind) => {
    const judgement = judged(stored(filled(before)), says(filled(after, 5)));
    expect(judgement.kind).toBe(kind);
    if (kind === 'guarded') {
      expect(judgement.reasons).toEqual([
        `The answer would empty ${before - after} fields, more than half. Look at the member in the registry.`,
      ]);
    }
  });

  it('that changes as many fields without emptying them is an edit', () => {
    const other = parseRegistryMember({
      ...EMPTY,
      name: 'Another Name',
      birthday: '1991-01-15',
      date_joined: '2021-01-15',
      version: 5,
    });
    const before = parseRegistryMember({
      ...EMPTY,
      name: 'Generated Person',
      birthday: '1990-01-15',
      date_joined: '2020-01-15',
      version: 4,
    });
    expect(judged(stored(before), says(other)).kind).toBe('write');
  });
});
