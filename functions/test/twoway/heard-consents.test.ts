import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { StoredMember } from '../../src/domain/member/decide-change.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../src/domain/member/patch.ts';
import type { MemberView } from '../../src/twoway/ports.ts';
import { makeQueueItem, type NewItem, toEditTime } from '../../src/twoway/queue.ts';
import { planShown } from '../../src/twoway/reading.ts';
import { planTracking } from '../../src/twoway/track.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [KENNITALA] = makeKennitalas(1) as [Kennitala];
const PATH = 'profile.reachable';
const NOW = new Date('2026-01-01T12:00:00Z');
const at = (seconds: number) => toEditTime(new Date(NOW.getTime() + seconds * 1_000));

const showing = (reachable: boolean) =>
  applyPatch(null, parseRegistryMember({ ssn: KENNITALA, name: 'Generated', reachable }));
/** @param over When a server wrote over the consent, in seconds. */
const stored = (isShown: boolean, heard: boolean | undefined, over?: number): StoredMember => ({
  member: showing(isShown),
  meta: {
    django_id: 1,
    source_version: 1,
    source_hash: sourceHash(showing(isShown)),
    deleted_at: null,
    ...(heard !== undefined && {
      heard: {
        consents: { [PATH]: heard },
        writtenOver: over === undefined ? {} : { [PATH]: new Date(NOW.getTime() + over * 1_000) },
      },
    }),
  },
});
const edit = (seconds: number, isOn: boolean): NewItem => ({
  id: `edit-${seconds}`,
  kennitala: KENNITALA,
  djangoId: 1,
  action: 'update',
  changes: { [PATH]: { oldValue: !isOn, newValue: isOn } },
  editedAt: at(seconds),
  isContinuation: false,
});
const viewOf = (document: StoredMember, more: Partial<MemberView> = {}): MemberView => ({
  stored: document,
  state: 'some',
  createdAt: at(-60),
  pending: [],
  item: null,
  later: [],
  failed: [],
  openConflicts: [],
  conflict: null,
  ...more,
});
/** What tracking writes of the document, and what the servers know then. */
const track = (view: MemberView, said: NewItem) => {
  const { member, result } = planTracking(view, said, { now: NOW, knowsConflicts: true });
  return { result, shown: member?.values[PATH], heard: member?.meta.heard?.consents[PATH] };
};

describe('a consent that a member has changed', () => {
  it.each([
    ['is heard with its event', stored(false, true), edit(1, false), false],
    ['is heard where nothing was known', stored(false, undefined), edit(1, false), false],
    ['is heard before a later word, which is to be heard still', stored(false, false), edit(1, true), true],
    ['is heard with a registration', stored(true, undefined), { ...edit(1, true), action: 'create' }, true],
  ] as const)('%s', (_what, document, said, heard) => {
    expect(track(viewOf(document), said)).toMatchObject({ heard, shown: undefined });
  });

  it.each([
    ['waits', makeQueueItem(edit(2, true), NOW)],
    [
      'has ended',
      {
        ...makeQueueItem(edit(2, true), NOW),
        changes: {},
        settled: { [PATH]: { oldValue: false, newValue: true, outcome: 'synced' as const } },
      },
    ],
  ])('is no news once a later word %s', (_what, later) => {
    expect(track(viewOf(stored(true, true), { later: [later] }), edit(1, false)).heard).toBeUndefined();
  });

  it('is not heard of a document that has been made anew since, and is written down nowhere', () => {
    const view = viewOf(stored(true, true), { createdAt: at(2) });
    expect(track(view, edit(1, false))).toEqual({ result: 'gone', shown: undefined, heard: undefined });
    expect(track(view, edit(2, false)).heard).toBe(false);
  });
});

describe('a consent that a server has written over', () => {
  it.each<[string, StoredMember, NewItem, boolean | undefined]>([
    ['after it was withdrawn: it is off again', stored(true, true, 2), edit(1, false), false],
    [
      'after it was given: it stays until that edit has ended',
      stored(false, false, 2),
      edit(1, true),
      undefined,
    ],
    ['and that was given once more since', stored(true, false, 2), edit(1, false), undefined],
  ])('%s', (_what, document, said, shown) => {
    const { heard } = document.meta;
    const tracked = planTracking(viewOf(document), said, { now: NOW, knowsConflicts: true });
    expect(tracked.member?.values[PATH]).toBe(shown);
    expect(tracked.member?.meta.heard ?? heard).toEqual(heard);
  });

  it('before it was changed is heard', () => {
    expect(track(viewOf(stored(false, true, 1)), edit(2, false))).toMatchObject({ heard: false });
  });
});

describe('the end of an edit', () => {
  it('switches a consent off that is withdrawn, and not on', () => {
    const withdrawn = { [PATH]: NOW };
    const ended = [makeQueueItem(edit(1, true), NOW)];
    expect(planShown(stored(true, true), ended, { [PATH]: false }, withdrawn)).toEqual({ [PATH]: false });
    expect(planShown(stored(false, false), ended, { [PATH]: true }, withdrawn)).toEqual({});
    expect(planShown(stored(false, false), ended, { [PATH]: true })).toEqual({ [PATH]: true });
  });

  it.each([true, false])('leaves a later word of the member that nobody has heard (on: %s)', (isOn) => {
    const ended = [makeQueueItem(edit(1, !isOn), NOW)];
    expect(planShown(stored(isOn, !isOn), ended, { [PATH]: !isOn })).toEqual({});
    expect(planShown(stored(isOn, isOn), ended, { [PATH]: !isOn })).toEqual({ [PATH]: !isOn });
  });
});
