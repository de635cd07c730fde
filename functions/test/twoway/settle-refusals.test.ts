import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/domain/member/fields.ts';
import { SyncError } from '../../src/lib/errors.ts';
import {
  after,
  claim,
  EDITED,
  EMAIL,
  edit,
  email,
  HOUR_MS,
  KENNITALA,
  NOW,
  ofEmail,
  ofPhone,
  PHONE,
  portal,
  REACHABLE,
  refused,
  registry,
  reset,
  rowOf,
  SUCCESSOR,
  settled,
  storedWith,
} from './support/settling.ts';

beforeEach(reset);

describe('a change that the registry refuses', () => {
  it.each([
    ['invalid_value', 'too long', 'invalid_value: too long'],
    [null, 'too long', 'too long'],
    ['invalid_value', 'a\ud800', 'refused, with a reason that cannot be shown'],
  ])(
    'for %j, %j is a dead letter, and the portal shows what the registry has',
    async (code, message, text) => {
      registry.readings = [rowOf('old@example.is', 3)];
      const result = await settled(claim([edit({ [EMAIL]: ofEmail })]), refused(code, message));
      expect(result).toEqual({ ended: 'failed', onward: { kind: 'done' } });
      expect(portal.view.failed).toMatchObject([{ status: 'failed', errorMessage: text }]);
      expect(email()).toBe('old@example.is');
      expect(portal.logs).toEqual([expect.objectContaining({ event: 'edit_refused', code, paths: [EMAIL] })]);
    },
  );

  it('by a fault of its own waits for another try, since that may pass', async () => {
    const result = await settled(claim([edit({ [EMAIL]: ofEmail })]), refused('internal'));
    expect(result).toMatchObject({
      ended: null,
      onward: { kind: 'waiting', until: after(30_000), failure: { code: 'registry_unavailable' } },
    });
    expect(portal.view.pending).toMatchObject([
      {
        retryCount: 1,
        claim: null,
        nextAttemptAt: after(30_000),
        errorMessage: 'registry_unavailable: The registry failed on this change; its log says why.',
      },
    ]);
    expect(portal.logs).toEqual([
      expect.objectContaining({ event: 'edit_waits', member: 'm_first', code: 'registry_unavailable' }),
    ]);
  });

  it('is told path by path where it holds several: the registry does not say which', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone })]);
    const first = await settled(claimed, refused('invalid_value'));
    expect(first).toEqual({ ended: null, onward: { kind: 'send', next: { ...claimed, isSplit: true } } });
    if (first.onward.kind !== 'send') return;
    registry.readings = [rowOf('old@example.is', 3)];
    const second = await settled(first.onward.next, refused('invalid_value'));
    expect(second).toMatchObject({ ended: 'failed', onward: { kind: 'send', next: { isSplit: true } } });
    if (second.onward.kind !== 'send') return;
    expect(Object.keys(second.onward.next.delivery.paths)).toEqual([PHONE]);
    expect(await settled(second.onward.next, { status: 'success', version: 4 })).toMatchObject({
      ended: 'synced',
      onward: { kind: 'done' },
    });
    expect(portal.view.later).toMatchObject([
      { status: 'failed', settled: { [EMAIL]: { outcome: 'failed' }, [PHONE]: { outcome: 'synced' } } },
    ]);
  });

  it.each([
    ['cannot be read', new SyncError('member_invalid', 'gender'), 'failed'],
    ['cannot be asked', new SyncError('registry_timeout', 'slow'), null],
  ])('ends also where the member %s, if that is the member’s own fault', async (_what, failure, ended) => {
    registry.readings = [failure];
    const result = await settled(claim([edit({ [EMAIL]: ofEmail })]), refused('invalid_value'));
    expect(result.ended).toBe(ended);
    expect(email()).toBe('new@example.is');
  });

  it('holds a value there that cannot be stored: no conflict, which nobody could decide', async () => {
    registry.readings = [rowOf('old@example.is', 3)];
    const current = { [EMAIL]: 'a\ud800' } as Record<string, Json>;
    const answer = { status: 'conflict', current, version: 9, changedAt: null } as const;
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), answer)).toMatchObject({ ended: 'failed' });
    expect(portal.view.failed[0]?.errorMessage).toBe(
      'unstorable_value: the registry holds a value here that cannot be stored',
    );
    expect(portal.view.openConflicts).toEqual([]);
  });

  it('is read again where the portal has heard of something later than was read', async () => {
    registry.readings = [rowOf('old@example.is', 5), rowOf('theirs@example.is', 9)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', 8));
    expect(await settled(claimed, refused('invalid_value'))).toMatchObject({ ended: 'failed' });
    expect([registry.reads, email()]).toEqual([2, 'theirs@example.is']);
  });

  it('shows the very first version where the portal has heard of none', async () => {
    registry.readings = [rowOf('old@example.is', 0)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, refused('invalid_value'))).toMatchObject({ ended: 'failed' });
    expect([registry.reads, email()]).toEqual([1, 'old@example.is']);
  });

  it('leaves what else waits for the next claim, and writes nothing of it', async () => {
    registry.readings = [rowOf('old@example.is', 3)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    portal.view = { ...portal.view, pending: [...portal.view.pending, edit({ [PHONE]: ofPhone }, {}, NOW)] };
    const result = await settled(claimed, refused('invalid_value'));
    expect(result).toEqual({ ended: 'failed', onward: { kind: 'claim', kennitala: KENNITALA } });
    expect(portal.written).toEqual([claimed.delivery.changeId]);
  });

  it('was a withdrawal: the consent stays off, and is marked so', async () => {
    registry.readings = [rowOf('old@example.is', 3, { reachable: true })];
    const withdrawal = { [REACHABLE]: { oldValue: true, newValue: false } };
    const claimed = claim([edit(withdrawal)], storedWith('old@example.is'));
    expect(await settled(claimed, refused('invalid_value'))).toMatchObject({ ended: 'failed' });
    expect(portal.view.stored?.member.profile.reachable).toBe(false);
    expect(portal.view.stored?.meta.withdrawn).toEqual({ [REACHABLE]: EDITED });
  });

  it('of a registration is read back: the registry can have the person by itself', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { action: 'create' })]);
    const { stored } = portal.view;
    registry.readings = [null];
    expect(await settled(claimed, refused('action_not_allowed'))).toMatchObject({ ended: 'failed' });
    expect(registry.reads).toBe(1);
    // Nothing was withdrawn, so nothing of the document is written.
    expect(portal.view.stored).toBe(stored);
    registry.numbers = [SUCCESSOR];
    const unknown = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone }, { action: 'create' })]);
    expect(await settled(unknown, refused('unknown_member'))).toMatchObject({ ended: 'failed' });
  });

  it('of a registration ends what was to go with it where the registry has nobody', async () => {
    const edits = [
      edit({ [EMAIL]: ofEmail }, { action: 'create' }),
      edit({ [PHONE]: ofPhone }, {}, after(-1)),
    ];
    expect(await settled(claim(edits), refused('action_not_allowed'))).toMatchObject({
      ended: 'failed',
      onward: { kind: 'done' },
    });
    expect(portal.view.failed.map(({ id }) => id)).toEqual(edits.map(({ id }) => id));
  });
});

describe('a member whom the registry does not find', () => {
  const unknown = refused('unknown_member');

  it('is looked for by the id of their row, and what waits goes to their new number', async () => {
    registry.numbers = [SUCCESSOR];
    const withdrawal = { oldValue: true, newValue: false };
    const claimed = claim([edit({ [REACHABLE]: withdrawal }, { djangoId: 7 })]);
    expect(await settled(claimed, unknown)).toEqual({
      ended: null,
      onward: { kind: 'claim', kennitala: SUCCESSOR },
    });
    expect(portal.moved).toMatchObject([
      { kennitala: SUCCESSOR, claim: null, delivery: null, nextAttemptAt: NOW },
    ]);
    // Whoever writes the first document of the new number finds the withdrawal here.
    expect(portal.view.stored?.meta.withdrawn).toHaveProperty([REACHABLE]);
    expect(portal.logs).toEqual([expect.objectContaining({ event: 'edits_moved' })]);
  });

  it.each([
    ['is gone', null],
    ['has the number still', KENNITALA],
  ])('and who %s is refused', async (_what, number) => {
    registry.numbers = [number];
    registry.readings = [null];
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), unknown)).toMatchObject({ ended: 'failed' });
    expect(portal.moved).toEqual([]);
  });

  it('and had no row when they edited is refused without a look', async () => {
    registry.numbers = [SUCCESSOR];
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { djangoId: null })], null);
    expect(claimed.djangoId).toBeNull();
    expect(await settled(claimed, unknown)).toMatchObject({ ended: 'failed' });
  });

  it('waits where the list cannot be read', async () => {
    registry.numbers = [new SyncError('registry_unreachable', 'down')];
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
    expect(portal.view.failed).toMatchObject([
      { errorMessage: 'registry_timeout: slow', claim: null, delivery: null },
    ]);
    expect(email()).toBe('old@example.is');
    expect(portal.logs).toEqual([expect.objectContaining({ event: 'edit_dead', code: 'registry_timeout' })]);
  });

  it('is the last, and a withdrawn consent stays off all the same', async () => {
    const withdrawal = { [REACHABLE]: { oldValue: true, newValue: false } };
    await settled(claim([edit(withdrawal, { retryUntil: NOW })], storedWith('old@example.is')), { failure });
    expect(portal.view.stored?.member.profile.reachable).toBe(false);
    expect(portal.view.stored?.meta.withdrawn).toEqual({ [REACHABLE]: EDITED });
  });

  it('is the last of a consent that was withdrawn once and given anew: it is off again', async () => {
    const { member, meta } = storedWith('old@example.is');
    const given = { [REACHABLE]: { oldValue: false, newValue: true } };
    const claimed = claim([edit(given, { retryUntil: NOW })], {
      member: { ...member, profile: { ...member.profile, reachable: true } },
      meta: {
        ...meta,
        withdrawn: { [REACHABLE]: after(-HOUR_MS) },
        heard: { consents: { [REACHABLE]: true }, writtenOver: {} },
      },
    });
    await settled(claimed, { failure });
    expect(portal.view.stored?.member.profile.reachable).toBe(false);
  });

  it('is the last, and leaves a value that is none of the edit’s, and what else waits', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { retryUntil: NOW })], storedWith('theirs@example.is'));
    portal.view = { ...portal.view, pending: [edit({ [PHONE]: ofPhone }, {}, NOW), ...portal.view.pending] };
    await settled(claimed, { failure });
    expect(email()).toBe('theirs@example.is');
    expect(portal.written).toEqual([claimed.delivery.changeId]);
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
    expect(portal.view.later.map(({ settled: ended }) => ended[EMAIL]?.outcome)).toEqual([
      'superseded',
      'failed',
    ]);
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
    portal.view = { ...portal.view, pending: [soon, ...portal.view.pending, later] };
    await settled(claimed, { failure });
    expect(portal.view.pending.map(({ nextAttemptAt, retryCount }) => [nextAttemptAt, retryCount])).toEqual([
      [after(30_000), 0],
      [after(30_000), 1],
      [after(HOUR_MS), 0],
    ]);
  });

  it('of a member without a document leaves a dead letter and nothing else', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { retryUntil: NOW })], null);
    expect(await settled(claimed, { failure })).toMatchObject({ ended: 'failed' });
    expect(portal.view.stored).toBeNull();
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
    registry.numbers = [SUCCESSOR];
    registry.readings = [rowOf('old@example.is', 3)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    portal.view = { ...portal.view, pending: portal.view.pending.map((item) => ({ ...item, claim: null })) };
    const before = portal.view;
    expect(await settled(claimed, sent)).toEqual({
      ended: null,
      onward: { kind: 'lost', delivery: claimed.delivery },
    });
    expect(portal.view.pending).toEqual(before.pending);
    expect(portal.logs).toEqual([]);
  });
});
