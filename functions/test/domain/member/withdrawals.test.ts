import { describe, expect, it } from 'vitest';
import {
  type DecisionContext,
  decideChange,
  type StoredMember,
} from '../../../src/domain/member/decide-change.ts';
import { withFields } from '../../../src/domain/member/fields.ts';
import {
  type FormerDocument,
  formerWithdrawals,
  isConsentPath,
  isNewNumber,
  isWithdrawal,
  keepWithdrawals,
  type PendingEdit,
  type Withdrawals,
  withoutWithdrawals,
  withWithdrawals,
} from '../../../src/domain/member/kept-values.ts';
import type { MemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { KENNITALA, NESTED, withAt } from './support/wire-members.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
const SINCE = at(10);
const WITHDRAWN: Withdrawals = { 'profile.reachable': SINCE };

const shownOn = applyPatch(null, parseRegistryMember(NESTED));
const edit = (seconds: number, value: unknown, path = 'profile.reachable'): PendingEdit => ({
  path,
  editedAt: at(seconds),
  value,
});
/** What a registry says that shows the consent as `reachable`; undefined says nothing of it. */
const word = (reachable: boolean | undefined, occurredAt: Date | null) => ({
  content: parseRegistryMember(withAt(NESTED, 'reachable', reachable)),
  occurredAt,
});

it('only a consent that is taken back is a withdrawal', () => {
  expect(['profile.reachable', 'profile.groupable', 'profile.email', ''].filter(isConsentPath)).toEqual([
    'profile.reachable',
    'profile.groupable',
  ]);
  expect(isWithdrawal('profile.groupable', false)).toBe(true);
  expect(isWithdrawal('profile.groupable', true)).toBe(false);
  expect(isWithdrawal('profile.groupable', null)).toBe(false);
  expect(isWithdrawal('profile.email', false)).toBe(false);
});

describe('a consent that its member withdrew', () => {
  it.each<
    [what: string, said: ReturnType<typeof word>, before: Withdrawals, pending: PendingEdit[], kept: boolean]
  >([
    ['stays off while the registry shows it on', word(true, at(20)), WITHDRAWN, [], true],
    ['stays off when the registry says nothing of it', word(undefined, at(20)), WITHDRAWN, [], true],
    ['stays off when the registry saw it off before that', word(false, at(5)), WITHDRAWN, [], true],
    ['stays off when the registry saw it off at that moment', word(false, SINCE), WITHDRAWN, [], true],
    ['is the registry’s again once it was seen off later', word(false, at(11)), WITHDRAWN, [], false],
    ['is the registry’s again once a reading sees it off', word(false, null), WITHDRAWN, [], false],
    ['that was never withdrawn is as the registry says', word(true, at(20)), {}, [], false],
  ])('%s', (_what, said, before, pending, isKept) => {
    const { withdrawn, member } = keepWithdrawals(shownOn, said, before, pending);
    expect(withdrawn).toEqual(isKept ? WITHDRAWN : {});
    expect(member.profile.reachable).toBe(!isKept);
    expect(member.profile.groupable).toBe(true);
  });

  it('is switched off by an edit on its way, and on by a later one', () => {
    const keep = (before: Withdrawals, ...pending: PendingEdit[]) =>
      keepWithdrawals(shownOn, word(true, at(20)), before, pending);
    expect(keep({}, edit(30, false))).toMatchObject({
      kept: ['profile.reachable'],
      member: { profile: { reachable: false } },
      withdrawn: {},
    });
    expect(keep(WITHDRAWN, edit(30, true))).toMatchObject({
      kept: [],
      member: { profile: { reachable: true } },
      withdrawn: WITHDRAWN,
    });
    // The last word counts, in whatever order they are listed.
    const words = [edit(30, true), edit(31, false)];
    for (const listed of [words, words.toReversed()]) expect(keep({}, ...listed).kept).toHaveLength(1);
    expect(keep({}, edit(31, true), edit(30, false)).kept).toEqual([]);
    // Of one moment, the one that is listed last.
    expect(keep({}, edit(30, true), edit(30, false)).kept).toEqual(['profile.reachable']);
    expect(keep({}, edit(30, false, 'profile.email')).kept).toEqual([]);
  });

  it('names nothing as kept where the registry shows it off itself', () => {
    const off = withFields(shownOn, { 'profile.reachable': false });
    expect(keepWithdrawals(off, word(false, at(5)), WITHDRAWN, [])).toMatchObject({
      kept: [],
      withdrawn: WITHDRAWN,
    });
  });

  it('stays off through whatever the registry says of the member', () => {
    const context: DecisionContext = { pending: [], origin: 'registry', now: at(50) };
    const stored: StoredMember = {
      member: withFields(shownOn, { 'profile.reachable': false }),
      meta: {
        django_id: 813,
        source_version: 9,
        source_hash: sourceHash(shownOn),
        deleted_at: null,
        withdrawn: WITHDRAWN,
      },
    };
    const change = (version: number, reachable: boolean): MemberChange => ({
      kennitala: KENNITALA,
      action: 'update',
      version,
      ...word(reachable, at(40)),
    });
    expect(decideChange(stored, change(10, true), context)).toMatchObject({
      kind: 'write',
      member: { profile: { reachable: false } },
      meta: { withdrawn: WITHDRAWN },
      keptEdits: ['profile.reachable'],
    });
    const seenOff = decideChange(stored, change(10, false), context);
    expect(seenOff).toMatchObject({ kind: 'write', keptEdits: [] });
    expect(seenOff.kind === 'write' && seenOff.meta).not.toHaveProperty('withdrawn');
    // A repeated reading of the same writes nothing, with the withdrawal as without.
    expect(decideChange(stored, { ...change(9, true), version: null }, context)).toEqual({
      kind: 'unchanged',
    });
    const { withdrawn: _, ...without } = stored.meta;
    for (const meta of [without, { ...without, withdrawn: {} }]) {
      const plain = { member: shownOn, meta };
      expect(decideChange(plain, { ...change(9, true), version: null }, context)).toEqual({
        kind: 'unchanged',
      });
      expect(
        decideChange(plain, { ...change(9, true), version: null }, { ...context, former: WITHDRAWN }),
      ).toMatchObject({ kind: 'write', meta: { withdrawn: WITHDRAWN } });
    }
    // A deletion keeps what was withdrawn, for whoever comes back.
    const removed: MemberChange = {
      kennitala: KENNITALA,
      action: 'delete',
      version: 10,
      occurredAt: at(40),
      content: null,
    };
    expect(decideChange(stored, removed, context)).toMatchObject({
      member: { profile: { reachable: false } },
      meta: { withdrawn: WITHDRAWN },
    });
    expect(decideChange(null, removed, { ...context, former: WITHDRAWN })).toMatchObject({
      meta: { withdrawn: WITHDRAWN },
    });
  });
});

describe('edits that ended', () => {
  it('leave a withdrawal where they took a consent back, and nothing else', () => {
    const ended = [
      edit(1, false),
      edit(2, true, 'profile.groupable'),
      edit(3, false, 'profile.email'),
      edit(4, 'x', 'profile.email'),
    ];
    expect(withWithdrawals(undefined, ended)).toEqual({ 'profile.reachable': at(1) });
    expect(withWithdrawals({ 'profile.groupable': SINCE }, ended)).toEqual({
      'profile.groupable': SINCE,
      'profile.reachable': at(1),
    });
  });

  it.each([
    ['given again', [edit(11, true)], {}],
    ['taken back and given again', [edit(12, true), edit(11, false)], {}],
    ['given again and taken back', [edit(12, false), edit(11, true)], { 'profile.reachable': at(12) }],
    ['given before that withdrawal', [edit(9, true)], WITHDRAWN],
    ['changed to what is no consent', [edit(11, null)], WITHDRAWN],
  ])('leave no withdrawal of a consent that was %s', (_what, ended, left) => {
    expect(withWithdrawals(WITHDRAWN, ended)).toEqual(left);
  });

  it('take a withdrawal away where the registry took them', () => {
    const both = { 'profile.reachable': SINCE, 'profile.groupable': at(1) };
    expect(withoutWithdrawals(both, ['profile.reachable', 'profile.email'])).toEqual({
      'profile.groupable': at(1),
    });
    expect(withoutWithdrawals(undefined, ['profile.reachable'])).toEqual({});
  });
});

describe('a person whose number was corrected', () => {
  const meta = (django_id: number | null, deleted_at: Date | null = null) => ({
    meta: { django_id, deleted_at },
  });

  it.each([
    ['a document that is new', null, 813, true],
    ['a document of the same row', meta(813), 813, false],
    ['a document of another row', meta(814), 813, true],
    ['a document whose row nobody knows', meta(null), 813, true],
    ['a document that was deleted', meta(813, SINCE), 813, true],
    ['a row without a number', null, null, false],
    ['a row without a number, over another one', meta(814), null, false],
  ])('%s', (_what, stored, djangoId, isNew) => {
    expect(isNewNumber(stored, djangoId)).toBe(isNew);
  });

  const left = (
    deletedAt: Date | null,
    withdrawn: Withdrawals = {},
    pending: PendingEdit[] = [],
  ): FormerDocument => ({ withdrawn, pending, deletedAt });

  it.each<[what: string, documents: FormerDocument[], expected: Withdrawals]>([
    ['had none before', [], {}],
    ['brings what they had withdrawn', [left(SINCE, WITHDRAWN)], WITHDRAWN],
    ['brings that of the number that was theirs last', [left(at(1)), left(at(2), WITHDRAWN)], WITHDRAWN],
    ['brings nothing of an earlier one', [left(at(2)), left(at(1), WITHDRAWN)], {}],
    ['had last the one that is not gone yet', [left(at(2)), left(null, WITHDRAWN)], WITHDRAWN],
    ['brings a withdrawal on its way', [left(SINCE, {}, [edit(3, false)])], { 'profile.reachable': at(3) }],
    ['brings the later word on its way', [left(SINCE, WITHDRAWN, [edit(13, true)])], {}],
    [
      'brings what the edits on their way do not touch',
      [left(SINCE, WITHDRAWN, [edit(13, false, 'profile.groupable')])],
      { ...WITHDRAWN, 'profile.groupable': at(13) },
    ],
  ])('%s', (_what, documents, expected) => {
    expect(formerWithdrawals(documents)).toEqual(expected);
    expect(formerWithdrawals(documents.toReversed())).toEqual(expected);
  });

  it.each<[what: string, formerlyLeft: Date | null, expected: Withdrawals]>([
    ['left before, as they left this one later', at(1), {}],
    ['left later: theirs last was that', at(3), WITHDRAWN],
    ['left at the same time: nobody knows which was theirs last', at(2), WITHDRAWN],
    ['have not left as far as is known', null, WITHDRAWN],
  ])('who comes back to a number takes along of one that they %s', (_what, formerlyLeft, expected) => {
    expect(formerWithdrawals([left(formerlyLeft, WITHDRAWN)], at(2))).toEqual(expected);
  });
});
