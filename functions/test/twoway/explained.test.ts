import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import type { StoredMember } from '../../src/domain/member/decide-change.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../src/domain/member/patch.ts';
import type { ConflictRecord, PathConflict } from '../../src/twoway/conflict.ts';
import type { MemberView } from '../../src/twoway/ports.ts';
import { makeQueueItem, type QueueItem, type SettledEdit, toEditTime } from '../../src/twoway/queue.ts';
import { DECIDED_BY_LATE_EDIT, planExplained, planTracking } from '../../src/twoway/track.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [ONE] = makeKennitalas(1, 79_000) as [Kennitala];
const NOW = new Date('2026-11-20T10:00:00Z');
const EMAIL = 'profile.email';
const PHONE = 'profile.phone';
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);

const item = (
  seconds: number,
  settled: Record<string, SettledEdit>,
  more: Partial<QueueItem> = {},
): QueueItem => ({
  ...makeQueueItem(
    {
      id: `edit-${seconds}`,
      kennitala: ONE,
      djangoId: 1,
      action: 'update',
      changes: {},
      editedAt: toEditTime(at(seconds)),
      isContinuation: true,
    },
    NOW,
  ),
  settled,
  status: 'conflict',
  ...more,
});
const ended = (oldValue: string, newValue: string, outcome: SettledEdit['outcome']): SettledEdit => ({
  oldValue,
  newValue,
  outcome,
});
const disputed = (more: Partial<PathConflict> = {}): PathConflict => ({
  expected: 'first@example.is',
  portal: { value: 'second@example.is', editedAt: at(2) },
  registry: { value: 'old@example.is', changedAt: null },
  winner: 'registry',
  reason: 'incomparable',
  state: 'open',
  resolution: null,
  ...more,
});
/** The late edit leads from what the registry held to what the loser started from. */
const late = item(1, { [EMAIL]: ended('old@example.is', 'first@example.is', 'superseded') });
const loser = item(2, { [EMAIL]: ended('first@example.is', 'second@example.is', 'conflict') });

const storedWith = (email: string): StoredMember => {
  const member = applyPatch(
    null,
    parseRegistryMember({ ssn: ONE, name: 'A', contact_info: { email, phone: '1' } }),
  );
  const meta = { django_id: 1, source_version: 1, source_hash: sourceHash(member), deleted_at: null };
  return { member, meta };
};
const explained = ({
  paths = { [EMAIL]: disputed() },
  later = [loser],
  tracked = late,
  shown = 'old@example.is',
}: {
  paths?: ConflictRecord['paths'];
  later?: QueueItem[];
  tracked?: QueueItem;
  shown?: string | null;
}) => {
  const stored = shown === null ? null : storedWith(shown);
  const openConflicts = [{ id: 'conflict-1', kennitala: ONE, detectedAt: NOW, paths }];
  return planExplained({ stored, later, openConflicts } as unknown as MemberView, tracked, NOW);
};
const NOTHING = { items: [], conflicts: [], member: null };

describe('a late edit that explains a conflict', () => {
  it('closes it, has the edit that had lost wait again from the registry’s value, and shows that', () => {
    const { items, conflicts, member } = explained({});
    expect(conflicts).toEqual([
      {
        id: 'conflict-1',
        kennitala: ONE,
        detectedAt: NOW,
        paths: {
          [EMAIL]: disputed({
            state: 'resolved',
            resolution: { keep: 'portal', value: 'second@example.is', by: DECIDED_BY_LATE_EDIT, at: NOW },
          }),
        },
      },
    ]);
    expect(items).toMatchObject([
      {
        id: 'edit-2',
        status: 'pending',
        isContinuation: false,
        changes: { [EMAIL]: { oldValue: 'old@example.is', newValue: 'second@example.is' } },
        settled: {},
      },
    ]);
    expect(member?.values).toEqual({ [EMAIL]: 'second@example.is' });
  });

  it('writes nothing of a document that is not there, or that shows something else by now', () => {
    for (const shown of [null, 'theirs@example.is']) {
      const { items, member } = explained({ shown });
      expect([items.length, member]).toEqual([1, null]);
    }
  });

  it('explains two fields of one edit together', () => {
    const of = (ends: [SettledEdit, SettledEdit]) => ({ [EMAIL]: ends[0], [PHONE]: ends[1] });
    const both = item(2, of([...Object.values(loser.settled), ended('2', '3', 'conflict')] as never));
    const before = item(1, of([...Object.values(late.settled), ended('1', '2', 'superseded')] as never));
    const phone = disputed({
      expected: '2',
      portal: { value: '3', editedAt: at(2) },
      registry: { value: '1', changedAt: null },
    });
    const { items, conflicts, member } = explained({
      paths: { [EMAIL]: disputed(), [PHONE]: phone },
      later: [both],
      tracked: before,
    });
    expect(items).toMatchObject([
      { changes: { [EMAIL]: { oldValue: 'old@example.is' }, [PHONE]: { oldValue: '1', newValue: '3' } } },
    ]);
    expect(Object.values(conflicts[0]?.paths ?? {}).map(({ state }) => state)).toEqual([
      'resolved',
      'resolved',
    ]);
    expect(member?.values).toEqual({ [EMAIL]: 'second@example.is', [PHONE]: '3' });
  });

  it.each<[string, number, object, 'portal' | 'registry']>([
    [
      'the same field since, which waits',
      3,
      { changes: { [EMAIL]: { oldValue: 'x', newValue: 'y' } } },
      'registry',
    ],
    [
      'the same field since, which has ended',
      3,
      { settled: { [EMAIL]: ended('x', 'y', 'synced') } },
      'registry',
    ],
    ['another field since', 3, { settled: { [PHONE]: ended('1', '2', 'synced') } }, 'portal'],
    ['the same field before', 0, { settled: { [EMAIL]: ended('x', 'y', 'synced') } }, 'portal'],
  ])('where the member wrote %s', (_what, seconds, more, keep) => {
    const { items, conflicts, member } = explained({ later: [loser, item(seconds, {}, more)] });
    expect(conflicts[0]?.paths[EMAIL]?.resolution?.keep).toBe(keep);
    expect([items.length, member === null]).toEqual(keep === 'portal' ? [1, false] : [0, true]);
  });
});

describe('a late edit behind one that was not taken', () => {
  const to = { oldValue: 'old@example.is', newValue: 'first@example.is' };
  const dead = item(2, { [EMAIL]: ended('first@example.is', 'second@example.is', 'failed') });
  const taken = item(2, { [EMAIL]: ended('x', 'second@example.is', 'synced') });
  const waits = item(3, {}, { changes: { [EMAIL]: { oldValue: 'second@example.is', newValue: 'x' } } });
  const beside = item(3, { [PHONE]: ended('1', '2', 'synced') });

  it.each<[string, QueueItem[], string | null]>([
    ['goes back to what it started from', [dead], 'old@example.is'],
    ['goes back also where another field was written since', [dead, beside], 'old@example.is'],
    ['goes back in whatever order they are known', [beside, dead], 'old@example.is'],
    ['stays where that field was written since', [dead, waits], null],
    ['stays where the later one was taken', [taken], null],
  ])('%s', (_what, later, shown) => {
    const { member, meta } = storedWith('first@example.is');
    const view = {
      stored: { member, meta: { ...meta, source_hash: 'of something else' } },
      createdAt: toEditTime(at(-60)),
      item: null,
      later,
      openConflicts: [],
    };
    const { id, kennitala, djangoId, editedAt, isContinuation } = late;
    const edit = {
      id,
      kennitala,
      djangoId,
      action: 'update',
      changes: { [EMAIL]: to },
      editedAt,
      isContinuation,
    } as const;
    const { member: written } = planTracking(view as unknown as MemberView, edit, {
      now: NOW,
      knowsConflicts: false,
    });
    expect(written?.values ?? null).toEqual(shown === null ? null : { [EMAIL]: shown });
  });
});

describe('a late edit that explains nothing', () => {
  it.each<[string, Parameters<typeof explained>[0]]>([
    ['leads from elsewhere', { tracked: item(1, { [EMAIL]: ended('x', 'first@example.is', 'superseded') }) }],
    ['leads elsewhere', { tracked: item(1, { [EMAIL]: ended('old@example.is', 'x', 'superseded') }) }],
    [
      'is of another field',
      { tracked: item(1, { [PHONE]: ended('old@example.is', 'first@example.is', 'superseded') }) },
    ],
    ['came after the edit that had lost', { tracked: { ...late, editedAt: toEditTime(at(3)) } }],
    ['is of an edit that is not known', { later: [] }],
    [
      'is of an edit that had another value',
      { later: [item(2, { [EMAIL]: ended('first@example.is', 'x', 'conflict') })] },
    ],
    [
      'is of an edit that met no conflict',
      { later: [item(2, { [EMAIL]: ended('first@example.is', 'second@example.is', 'synced') })] },
    ],
    [
      'is of a field that somebody has decided about, beside one that is open',
      { paths: { [EMAIL]: disputed({ state: 'resolved' }), [PHONE]: disputed() } },
    ],
  ])('since it %s', (_what, given) => {
    expect(explained(given)).toEqual(NOTHING);
  });
});
