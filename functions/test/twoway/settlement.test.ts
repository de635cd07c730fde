import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { decideChange, type StoredMember } from '../../src/domain/member/decide-change.ts';
import type { Json } from '../../src/domain/member/fields.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { LogFields } from '../../src/lib/log.ts';
import type { ChangeAnswer } from '../../src/registry/ports.ts';
import { planClaim } from '../../src/twoway/claim.ts';
import type { Claimed, DeliveryDependencies } from '../../src/twoway/delivery.ts';
import { nextPart } from '../../src/twoway/delivery.ts';
import { makeTwoWayLogs } from '../../src/twoway/logs.ts';
import type { MemberView, TwoWayStore } from '../../src/twoway/ports.ts';
import { makeQueueItem, type PathEdit, type QueueItem, toEditTime } from '../../src/twoway/queue.ts';
import { makeApplyProtocol } from '../../src/twoway/registry.ts';
import type { Sent } from '../../src/twoway/send.ts';
import { settle } from '../../src/twoway/settle.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const [KENNITALA, SUCCESSOR] = makeKennitalas(2, 50_000) as [Kennitala, Kennitala];
const NOW = new Date('2026-11-20T10:00:00Z');
const EDITED = new Date(NOW.getTime() - 60_000);
const HOUR_MS = 3_600_000;
const after = (ms: number) => new Date(NOW.getTime() + ms);
const EMAIL = 'profile.email';
const PHONE = 'profile.phone';
const REACHABLE = 'profile.reachable';

const rowOf = (email: string, version: number | null, more: object = {}) =>
  parseRegistryMember({
    id: 7,
    ssn: KENNITALA,
    name: 'Generated Person',
    contact_info: { email, phone: '5550001' },
    reachable: false,
    ...(version !== null && { version }),
    ...more,
  });
/** The member's document: the registry's word, and over it what the member has written. */
const storedWith = (email: string, version: number | null = 3): StoredMember => {
  const content = rowOf('old@example.is', version);
  const change = { kennitala: KENNITALA, action: 'update', version, occurredAt: null, content } as const;
  const decision = decideChange(null, change, { pending: [], origin: 'registry', now: NOW });
  if (decision.kind !== 'write') throw new Error('Nothing was decided.');
  const { member, meta } = decision;
  return { member: { ...member, profile: { ...member.profile, email } }, meta };
};
/** The registry's eighth word, which the document does not show: somebody else's edit lies over it. */
const heardLater = (): StoredMember => {
  const { member, meta } = storedWith('new@example.is', 8);
  return { member, meta: { ...meta, source_hash: 'of something else' } };
};
const edit = (changes: Record<string, PathEdit>, more: Partial<QueueItem> = {}, at = EDITED): QueueItem => ({
  ...makeQueueItem(
    {
      id: `edit-${at.getTime()}`,
      kennitala: KENNITALA,
      djangoId: 7,
      action: 'update',
      changes,
      editedAt: toEditTime(at),
      isContinuation: false,
    },
    at,
  ),
  ...more,
});
const ofEmail: PathEdit = { oldValue: 'old@example.is', newValue: 'new@example.is' };
const ofPhone: PathEdit = { oldValue: '5550001', newValue: '5559999' };

let view: MemberView;
let logs: LogFields[];
/** What the registry says of the member when it is read, in turn; the last one stays. */
let readings: (ReturnType<typeof rowOf> | null | SyncError)[];
let numbers: (Kennitala | null | SyncError)[];
let reads: number;
/** What happens in the portal while the registry is read. */
let meanwhile: () => void;
let moved: readonly QueueItem[];

const taken = <T>(from: (T | SyncError)[], n: number): T => {
  const one = from[Math.min(n, from.length - 1)];
  if (one instanceof SyncError) throw one;
  return one as T;
};
const store = {
  transact: async (_kennitala, _reads, _at, decide) => {
    const { result, items = [], member, conflicts = [] } = decide(view);
    moved = items.filter(({ kennitala }) => kennitala !== KENNITALA);
    const written = new Map(items.map((item) => [item.id, item]));
    const all = view.pending.map((item) => written.get(item.id) ?? item);
    const stored =
      member && view.stored
        ? {
            member: { ...view.stored.member, profile: { ...view.stored.member.profile } },
            meta: member.meta,
          }
        : view.stored;
    for (const [path, value] of Object.entries(member?.values ?? {}))
      Object.assign(stored?.member.profile ?? {}, { [path.replace('profile.', '')]: value });
    view = {
      ...view,
      stored,
      pending: all.filter(({ status, kennitala }) => status === 'pending' && kennitala === KENNITALA),
      failed: [...view.failed, ...all.filter(({ status }) => status === 'failed')],
      later: [...view.later, ...all.filter(({ status }) => status !== 'pending')],
      openConflicts: [...view.openConflicts, ...conflicts],
    };
    return result;
  },
} as TwoWayStore;
const dependencies = (): DeliveryDependencies => ({
  store,
  registry: null as never,
  registryMembers: {
    read: async () => {
      reads += 1;
      meanwhile();
      return taken(readings, reads - 1);
    },
    numberOf: async () => taken(numbers, 0),
    isVersioned: async () => true,
  },
  protocol: makeApplyProtocol(),
  reference: async (kennitala) => (kennitala === KENNITALA ? 'm_first' : 'm_second'),
  now: () => NOW,
  random: () => 0,
  makeOwner: () => 'me',
  logs: makeTwoWayLogs((_severity, _message, fields) => logs.push(fields)),
});

/** Puts these edits into the queue, and claims them. */
const claim = (items: QueueItem[], stored: StoredMember | null = storedWith('new@example.is')): Claimed => {
  view = {
    stored,
    state: null,
    createdAt: null,
    pending: items,
    item: null,
    later: [],
    failed: [],
    openConflicts: [],
    conflict: null,
  };
  const { result, items: claimed = [] } = planClaim(view, { owner: 'me', now: NOW, isUrgent: true });
  if (result.kind !== 'claimed') throw new Error(`Nothing was claimed: ${result.kind}`);
  view = { ...view, pending: items.map((item) => claimed.find(({ id }) => id === item.id) ?? item) };
  return result.claimed;
};
const settled = (claimed: Claimed, sent: Sent | ChangeAnswer) =>
  settle(
    { claimed, part: nextPart(claimed) },
    'status' in sent ? { answer: sent } : sent,
    new AbortController().signal,
    dependencies(),
  );
const email = () => view.stored?.member.profile.email;
const refused = (code: string | null, message = 'no'): ChangeAnswer => ({ status: 'refused', code, message });

beforeEach(() => {
  [logs, readings, numbers, reads, moved] = [[], [null], [null], 0, []];
  meanwhile = () => undefined;
});

describe('a change that the registry has taken', () => {
  it('ends, and what else waits is taken next', async () => {
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), { status: 'success', version: 4 })).toEqual({
      ended: 'synced',
      onward: { kind: 'done' },
    });
    expect(view.later).toMatchObject([{ status: 'synced', syncedAt: NOW, claim: null, delivery: null }]);
    // One less, since its webhook brings the whole member.
    expect(view.stored?.meta.source_version).toBe(3);
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    view = { ...view, pending: [...view.pending, edit({ [PHONE]: ofPhone }, {}, NOW)] };
    expect((await settled(claimed, { status: 'success', version: 4 })).onward).toEqual({
      kind: 'claim',
      kennitala: KENNITALA,
    });
  });

  it('is read back where the portal has heard of a later one and shows something else', async () => {
    readings = [rowOf('theirs@example.is', 9)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
    expect(reads).toBe(1);
    expect(email()).toBe('theirs@example.is');
  });

  it('is not read back where the portal has heard of this very change, nor of any since', async () => {
    for (const version of [8, 9]) {
      expect(
        await settled(claim([edit({ [EMAIL]: ofEmail })], heardLater()), { status: 'success', version }),
      ).toEqual({
        ended: 'synced',
        onward: { kind: 'done' },
      });
      // What the registry had said besides, which the document does not show, stays on record.
      expect(view.stored?.meta).toMatchObject({ source_version: 8, source_hash: 'of something else' });
    }
    expect([reads, email()]).toEqual([0, 'new@example.is']);
    const known = storedWith('new@example.is', 3);
    await settled(claim([edit({ [EMAIL]: ofEmail })], known), { status: 'success', version: 4 });
    expect(view.stored?.meta.source_hash).not.toBe(known.meta.source_hash);
  });

  it('waits where the member is written whenever they are read', async () => {
    readings = [rowOf('theirs@example.is', 5)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({
      ended: null,
      onward: {
        kind: 'waiting',
        failure: { code: 'store_unavailable', message: 'The member was written 5 times while it was read.' },
      },
    });
    expect(reads).toBe(5);
    expect(view.pending).toMatchObject([{ status: 'pending', retryCount: 1 }]);
  });
});

describe('an answer without a version, which proves nothing', () => {
  const unproved = { status: 'success', version: null } as const;

  it.each([
    ['shows it: it has', rowOf('new@example.is', null), 'synced', 'synced', null],
    [
      'shows what it had: it has not',
      rowOf('old@example.is', null),
      'failed',
      'failed',
      `${EMAIL}: the registry did not take this field`,
    ],
    [
      'has no such member: it has not',
      null,
      'failed',
      'failed',
      `${EMAIL}: the registry did not take this field`,
    ],
  ] as const)('the registry %s', async (_what, shows, ended, status, errorMessage) => {
    readings = [shows];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({ ended, onward: { kind: 'done' } });
    expect(view.later).toMatchObject([{ status, errorMessage }]);
    expect(logs).toEqual(
      ended === 'synced'
        ? []
        : [expect.objectContaining({ event: 'edit_refused', member: 'm_first', paths: [EMAIL] })],
    );
    if (shows !== null) expect(email()).toBe(ended === 'synced' ? 'new@example.is' : 'old@example.is');
  });

  it('is a conflict where it shows neither', async () => {
    readings = [rowOf('theirs@example.is', null)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({ ended: 'conflict', onward: { kind: 'done' } });
    expect(view.openConflicts).toMatchObject([
      {
        kennitala: KENNITALA,
        paths: { [EMAIL]: { winner: 'registry', reason: 'incomparable', state: 'open' } },
      },
    ]);
    expect(email()).toBe('theirs@example.is');
  });

  it('needs no second reading where what was read before sending shows it', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    const content = rowOf('new@example.is', null);
    const change = {
      kennitala: KENNITALA,
      action: 'update',
      version: null,
      occurredAt: null,
      content,
    } as const;
    const answer = { ...unproved, reading: { change, ifState: null } };
    expect(await settled(claimed, { answer })).toMatchObject({ ended: 'synced' });
    expect(reads).toBe(0);
  });

  it('waits where the member cannot be read', async () => {
    readings = [new SyncError('registry_timeout', 'slow')];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({
      onward: { kind: 'waiting', failure: { code: 'registry_timeout' } },
    });
  });
});

describe('a change that the registry refuses', () => {
  it.each([
    ['invalid_value', 'too long', 'invalid_value: too long'],
    [null, 'too long', 'too long'],
    ['invalid_value', 'a\ud800', 'refused, with a reason that cannot be shown'],
  ])(
    'for %j, %j is a dead letter, and the portal shows what the registry has',
    async (code, message, text) => {
      readings = [rowOf('old@example.is', 3)];
      const result = await settled(claim([edit({ [EMAIL]: ofEmail })]), refused(code, message));
      expect(result).toEqual({ ended: 'failed', onward: { kind: 'done' } });
      expect(view.failed).toMatchObject([{ status: 'failed', errorMessage: text }]);
      expect(email()).toBe('old@example.is');
      expect(logs).toEqual([expect.objectContaining({ event: 'edit_refused', code, paths: [EMAIL] })]);
    },
  );

  it('by a fault of its own waits for another try, since that may pass', async () => {
    const result = await settled(claim([edit({ [EMAIL]: ofEmail })]), refused('internal'));
    expect(result).toMatchObject({
      ended: null,
      onward: { kind: 'waiting', until: after(30_000), failure: { code: 'registry_unavailable' } },
    });
    expect(view.pending).toMatchObject([
      {
        retryCount: 1,
        claim: null,
        nextAttemptAt: after(30_000),
        errorMessage: 'registry_unavailable: The registry failed on this change; its log says why.',
      },
    ]);
    expect(logs).toEqual([
      expect.objectContaining({ event: 'edit_waits', member: 'm_first', code: 'registry_unavailable' }),
    ]);
  });

  it('is told path by path where it holds several: the registry does not say which', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone })]);
    const first = await settled(claimed, refused('invalid_value'));
    expect(first).toEqual({ ended: null, onward: { kind: 'send', next: { ...claimed, isSplit: true } } });
    if (first.onward.kind !== 'send') return;
    readings = [rowOf('old@example.is', 3)];
    const second = await settled(first.onward.next, refused('invalid_value'));
    expect(second).toMatchObject({ ended: 'failed', onward: { kind: 'send', next: { isSplit: true } } });
    if (second.onward.kind !== 'send') return;
    expect(Object.keys(second.onward.next.delivery.paths)).toEqual([PHONE]);
    expect(await settled(second.onward.next, { status: 'success', version: 4 })).toMatchObject({
      ended: 'synced',
      onward: { kind: 'done' },
    });
    expect(view.later).toMatchObject([
      { status: 'failed', settled: { [EMAIL]: { outcome: 'failed' }, [PHONE]: { outcome: 'synced' } } },
    ]);
  });

  it.each([
    ['cannot be read', new SyncError('member_invalid', 'gender'), 'failed'],
    ['cannot be asked', new SyncError('registry_timeout', 'slow'), null],
  ])('ends also where the member %s, if that is the member’s own fault', async (_what, failure, ended) => {
    readings = [failure];
    const result = await settled(claim([edit({ [EMAIL]: ofEmail })]), refused('invalid_value'));
    expect(result.ended).toBe(ended);
    expect(email()).toBe('new@example.is');
  });

  it('holds a value there that cannot be stored: no conflict, which nobody could decide', async () => {
    readings = [rowOf('old@example.is', 3)];
    const current = { [EMAIL]: 'a\ud800' } as Record<string, Json>;
    const answer = { status: 'conflict', current, version: 9, changedAt: null } as const;
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), answer)).toMatchObject({ ended: 'failed' });
    expect(view.failed[0]?.errorMessage).toBe(
      'unstorable_value: the registry holds a value here that cannot be stored',
    );
    expect(view.openConflicts).toEqual([]);
  });

  it('of a registration is not read back: nobody is there', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { action: 'create' })]);
    expect(await settled(claimed, refused('action_not_allowed'))).toMatchObject({ ended: 'failed' });
    expect(reads).toBe(0);
    const unknown = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone }, { action: 'create' })]);
    expect(await settled(unknown, refused('unknown_member'))).toMatchObject({ ended: 'failed' });
  });
});

describe('a member whom the registry does not find', () => {
  const unknown = refused('unknown_member');

  it('is looked for by the id of their row, and what waits goes to their new number', async () => {
    numbers = [SUCCESSOR];
    const withdrawal = { oldValue: true, newValue: false };
    const claimed = claim([edit({ [REACHABLE]: withdrawal }, { djangoId: 7 })]);
    expect(await settled(claimed, unknown)).toEqual({
      ended: null,
      onward: { kind: 'claim', kennitala: SUCCESSOR },
    });
    expect(moved).toMatchObject([{ kennitala: SUCCESSOR, claim: null, delivery: null, nextAttemptAt: NOW }]);
    // Whoever writes the first document of the new number finds the withdrawal here.
    expect(view.stored?.meta.withdrawn).toHaveProperty([REACHABLE]);
    expect(logs).toEqual([expect.objectContaining({ event: 'edits_moved' })]);
  });

  it.each([
    ['is gone', null],
    ['has the number still', KENNITALA],
  ])('and who %s is refused', async (_what, number) => {
    numbers = [number];
    readings = [null];
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), unknown)).toMatchObject({ ended: 'failed' });
    expect(moved).toEqual([]);
  });

  it('and had no row when they edited is refused without a look', async () => {
    numbers = [SUCCESSOR];
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { djangoId: null })], null);
    expect(claimed.djangoId).toBeNull();
    expect(await settled(claimed, unknown)).toMatchObject({ ended: 'failed' });
  });

  it('waits where the list cannot be read', async () => {
    numbers = [new SyncError('registry_unreachable', 'down')];
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), unknown)).toMatchObject({
      onward: { kind: 'waiting', failure: { code: 'registry_unreachable' } },
    });
  });
});

describe('a try that failed', () => {
  const failure = new SyncError('registry_timeout', 'slow');

  it('is the last after three days: the portal shows what the registry was expected to have', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { retryUntil: NOW })]);
    expect(await settled(claimed, { failure })).toEqual({
      ended: 'failed',
      onward: { kind: 'claim', kennitala: KENNITALA },
    });
    expect(view.failed).toMatchObject([
      { errorMessage: 'registry_timeout: slow', claim: null, delivery: null },
    ]);
    expect(email()).toBe('old@example.is');
    expect(logs).toEqual([expect.objectContaining({ event: 'edit_dead', code: 'registry_timeout' })]);
  });

  it('leaves an edit superseded that the same delivery carried a later one of', async () => {
    const earlier = edit(
      { [EMAIL]: { oldValue: 'old@example.is', newValue: 'b@example.is' } },
      { retryUntil: NOW },
    );
    const later = edit(
      { [EMAIL]: { oldValue: 'b@example.is', newValue: 'new@example.is' } },
      {},
      after(-1_000),
    );
    await settled(claim([earlier, later]), { failure });
    expect(view.later.map(({ settled: ended }) => ended[EMAIL]?.outcome)).toEqual(['superseded', 'failed']);
    expect(email()).toBe('old@example.is');
  });

  it('makes what else waits wait as long, and not shorter than it did', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const soon = edit({ [PHONE]: ofPhone }, { nextAttemptAt: NOW }, after(-2_000));
    const later = edit(
      { [REACHABLE]: { oldValue: false, newValue: true } },
      { nextAttemptAt: after(HOUR_MS) },
      NOW,
    );
    view = { ...view, pending: [...view.pending, soon, later] };
    await settled(claimed, { failure });
    expect(view.pending.map(({ nextAttemptAt }) => nextAttemptAt)).toEqual([
      after(30_000),
      after(30_000),
      after(HOUR_MS),
    ]);
  });

  it('of a member without a document leaves a dead letter and nothing else', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { retryUntil: NOW })], null);
    expect(await settled(claimed, { failure })).toMatchObject({ ended: 'failed' });
    expect(view.stored).toBeNull();
  });
});

describe('a claim that somebody else has taken over', () => {
  it.each([
    ['taken', { status: 'success', version: 4 }],
    ['refused', refused('invalid_value')],
    ['refused for an unknown member', refused('unknown_member')],
    ['disputed', { status: 'conflict', current: { [EMAIL]: 'x@example.is' }, version: 9, changedAt: null }],
    ['not answered', { failure: new SyncError('registry_timeout', 'slow') }],
  ] as const)('ends nothing, also where the change was %s', async (_what, sent) => {
    numbers = [SUCCESSOR];
    readings = [rowOf('old@example.is', 3)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    view = { ...view, pending: view.pending.map((item) => ({ ...item, claim: null })) };
    const before = view;
    expect(await settled(claimed, sent)).toEqual({
      ended: null,
      onward: { kind: 'lost', delivery: claimed.delivery },
    });
    expect(view.pending).toEqual(before.pending);
    expect(logs).toEqual([]);
  });
});

describe('a conflict', () => {
  const conflict = (value: Json, changedAt: Date | null, version: number | null = 9) =>
    ({ status: 'conflict', current: { [EMAIL]: value }, version, changedAt }) as const;

  it('that the registry wins ends the edit, and the portal shows its value', async () => {
    const result = await settled(
      claim([edit({ [EMAIL]: ofEmail })]),
      conflict('theirs@example.is', after(2 * HOUR_MS)),
    );
    expect(result).toEqual({ ended: 'conflict', onward: { kind: 'done' } });
    expect(view.later).toMatchObject([{ status: 'conflict' }]);
    expect(email()).toBe('theirs@example.is');
    expect(view.openConflicts).toMatchObject([
      {
        detectedAt: NOW,
        paths: {
          [EMAIL]: {
            expected: 'old@example.is',
            portal: { value: 'new@example.is', editedAt: EDITED },
            registry: { value: 'theirs@example.is', changedAt: after(2 * HOUR_MS) },
            winner: 'registry',
            reason: 'later',
            state: 'resolved',
            resolution: null,
          },
        },
      },
    ]);
    expect(logs).toEqual([expect.objectContaining({ event: 'edit_conflict', paths: [EMAIL] })]);
  });

  it('that the portal wins is sent again over what the registry holds, under another id', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const result = await settled(claimed, conflict('theirs@example.is', after(-2 * HOUR_MS)));
    expect(result).toMatchObject({ ended: 'conflict', onward: { kind: 'send' } });
    if (result.onward.kind !== 'send') return;
    const { delivery } = result.onward.next;
    expect(delivery.changeId).not.toBe(claimed.delivery.changeId);
    expect(delivery.paths[EMAIL]).toMatchObject({
      expected: 'theirs@example.is',
      newValue: 'new@example.is',
    });
    expect(view.openConflicts).toMatchObject([{ paths: { [EMAIL]: { winner: 'portal' } } }]);
    expect(email()).toBe('new@example.is');
  });

  it('is none where the portal has heard of something later than the answer: it is sent anew', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const result = await settled(claimed, conflict('theirs@example.is', null, 2));
    expect(result).toMatchObject({ ended: null, onward: { kind: 'send' } });
    expect(view.openConflicts).toEqual([]);
    if (result.onward.kind === 'send')
      expect(result.onward.next.delivery.changeId).not.toBe(claimed.delivery.changeId);
  });

  it('is none where the registry holds what it last took from the member', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const mine = { oldValue: 'x@example.is', newValue: 'mine@example.is', outcome: 'synced' } as const;
    view = { ...view, later: [edit({}, { settled: { [EMAIL]: mine }, status: 'synced' }, after(-HOUR_MS))] };
    const result = await settled(claimed, conflict('mine@example.is', after(HOUR_MS)));
    expect(result).toMatchObject({ ended: null, onward: { kind: 'send' } });
    expect(view.openConflicts).toEqual([]);
  });

  it('is none of an edit that was taken back meanwhile, and the answer is asked for again all the same', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    const back = edit({ [EMAIL]: { oldValue: ofEmail.newValue, newValue: ofEmail.oldValue } }, {}, NOW);
    view = { ...view, pending: [...view.pending, back] };
    const result = await settled(claimed, conflict('theirs@example.is', null, 2));
    expect(result).toMatchObject({ ended: null, onward: { kind: 'send' } });
    if (result.onward.kind === 'send')
      expect(result.onward.next.delivery.paths[EMAIL]).toMatchObject({ newValue: 'old@example.is' });
    expect(view.openConflicts).toEqual([]);
  });

  it.each([
    ['later beyond doubt: it stands', after(2 * HOUR_MS), 'cancelled', true],
    ['not later beyond doubt: the withdrawal is told', null, undefined, false],
  ])(
    'of a consent that was given and taken back, and the registry’s word is %s',
    async (_what, at, outcome, shown) => {
      const given = edit({ [REACHABLE]: { oldValue: false, newValue: true } });
      const back = edit({ [REACHABLE]: { oldValue: true, newValue: false } }, {}, after(-1_000));
      const claimed = claim([given, back], storedWith('old@example.is'));
      const answer = {
        status: 'conflict',
        current: { [REACHABLE]: true },
        version: 9,
        changedAt: at,
      } as const;
      const result = await settled(claimed, answer);
      expect(view.stored?.member.profile.reachable).toBe(shown);
      expect([...view.later, ...view.pending].at(-1)?.settled[REACHABLE]?.outcome).toBe(outcome);
      expect(result.onward.kind).toBe(outcome === undefined ? 'send' : 'done');
    },
  );

  it('waits for an earlier edit that may still be on its way', async () => {
    const at = after(-5_000);
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { isContinuation: true }, at)]);
    const result = await settled(claimed, conflict('theirs@example.is', null));
    expect(result).toEqual({ ended: null, onward: { kind: 'waiting', until: after(5_000), failure: null } });
    expect(view.pending).toMatchObject([{ claim: null, delivery: null, nextAttemptAt: after(5_000) }]);
    const old = claim([edit({ [EMAIL]: ofEmail }, { isContinuation: true }, after(-20_000))]);
    expect((await settled(old, conflict('theirs@example.is', null))).ended).toBe('conflict');
  });

  it('leaves alone what else waits', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone })]);
    const result = await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(result).toMatchObject({ ended: 'conflict', onward: { kind: 'send' } });
    if (result.onward.kind === 'send')
      expect(Object.keys(result.onward.next.delivery.paths)).toEqual([PHONE]);
    expect(view.pending).toMatchObject([{ settled: { [EMAIL]: { outcome: 'conflict' } } }]);
  });
});
