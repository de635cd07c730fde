import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '../../src/domain/member/fields.ts';
import {
  after,
  claim,
  EDITED,
  EMAIL,
  edit,
  email,
  HOUR_MS,
  heardLater,
  KENNITALA,
  NOW,
  ofEmail,
  ofPhone,
  PHONE,
  portal,
  REACHABLE,
  reset,
  settled,
  storedWith,
} from './support/settling.ts';

beforeEach(reset);

describe('a conflict', () => {
  const conflict = (value: Json, changedAt: Date | null, version: number | null = 9) =>
    ({ status: 'conflict', current: { [EMAIL]: value }, version, changedAt }) as const;

  it('that the registry wins ends the edit, and the portal shows its value', async () => {
    const result = await settled(
      claim([edit({ [EMAIL]: ofEmail })]),
      conflict('theirs@example.is', after(2 * HOUR_MS)),
    );
    expect(result).toEqual({ ended: 'conflict', onward: { kind: 'done' } });
    expect(portal.view.later).toMatchObject([{ status: 'conflict' }]);
    expect(email()).toBe('theirs@example.is');
    expect(portal.view.openConflicts).toMatchObject([
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
    expect(portal.logs).toEqual([expect.objectContaining({ event: 'edit_conflict', paths: [EMAIL] })]);
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
    expect(portal.view.openConflicts).toMatchObject([{ paths: { [EMAIL]: { winner: 'portal' } } }]);
    expect(email()).toBe('new@example.is');
  });

  it('is none where the portal has heard of something later than the answer: it is sent anew', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const result = await settled(claimed, conflict('theirs@example.is', null, 2));
    expect(result).toMatchObject({ ended: null, onward: { kind: 'send' } });
    expect(portal.view.openConflicts).toEqual([]);
    if (result.onward.kind === 'send')
      expect(result.onward.next.delivery.changeId).not.toBe(claimed.delivery.changeId);
  });

  it('is none where the registry holds what it last took from the member', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const mine = { oldValue: 'x@example.is', newValue: 'mine@example.is', outcome: 'synced' } as const;
    portal.view = {
      ...portal.view,
      later: [edit({}, { settled: { [EMAIL]: mine }, status: 'synced' }, after(-HOUR_MS))],
    };
    const refusedLater = { ...mine, newValue: 'z@example.is', outcome: 'failed' } as const;
    const later = edit({}, { settled: { [EMAIL]: refusedLater }, status: 'failed' }, after(-HOUR_MS / 2));
    portal.view = { ...portal.view, later: [...portal.view.later, later] };
    const result = await settled(claimed, conflict('mine@example.is', after(HOUR_MS)));
    expect(result).toMatchObject({ ended: null, onward: { kind: 'send' } });
    expect(portal.view.openConflicts).toEqual([]);
  });

  it('is none of an edit that was taken back meanwhile, and the answer is asked for again all the same', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    const back = edit({ [EMAIL]: { oldValue: ofEmail.newValue, newValue: ofEmail.oldValue } }, {}, NOW);
    portal.view = { ...portal.view, pending: [...portal.view.pending, back] };
    const result = await settled(claimed, conflict('theirs@example.is', null, 2));
    expect(result).toMatchObject({ ended: null, onward: { kind: 'send' } });
    if (result.onward.kind === 'send')
      expect(result.onward.next.delivery.paths[EMAIL]).toMatchObject({ newValue: 'old@example.is' });
    expect(portal.view.openConflicts).toEqual([]);
  });

  it('is none of an edit that was taken back meanwhile: what the registry has got since stands', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('old@example.is'));
    const back = edit({ [EMAIL]: { oldValue: ofEmail.newValue, newValue: ofEmail.oldValue } }, {}, NOW);
    portal.view = { ...portal.view, pending: [...portal.view.pending, back] };
    const result = await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(result.onward).toEqual({ kind: 'done' });
    expect([email(), portal.view.openConflicts, portal.logs]).toEqual(['theirs@example.is', [], []]);
    expect(portal.view.later.map(({ settled: ended }) => ended[EMAIL]?.outcome)).toEqual([
      'cancelled',
      'cancelled',
    ]);
  });

  it('is none of a field that the answer does not mention, though the registry has taken it before', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone })]);
    const before = { ...ofPhone, outcome: 'synced' } as const;
    const told = edit({}, { settled: { [PHONE]: before }, status: 'synced' }, after(-HOUR_MS));
    portal.view = { ...portal.view, later: [told] };
    await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(Object.keys(portal.view.openConflicts[0]?.paths ?? {})).toEqual([EMAIL]);
  });

  it('that a registration lost leaves an update of what else was edited', async () => {
    const register = edit({ [EMAIL]: { oldValue: null, newValue: ofEmail.newValue } }, { action: 'create' });
    const claimed = claim([register, edit({ [PHONE]: ofPhone }, {}, after(-1_000))]);
    const result = await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(result.onward).toMatchObject({
      kind: 'send',
      next: { delivery: { action: 'update', paths: { [PHONE]: { expected: ofPhone.oldValue } } } },
    });
  });

  it.each([
    ['later beyond doubt: it stands', after(2 * HOUR_MS), 'cancelled', true],
    ['not later beyond doubt: the withdrawal is told', null, undefined, false],
    ['earlier beyond doubt: the withdrawal is told', after(-2 * HOUR_MS), undefined, false],
    [
      'later, or another field’s is: the withdrawal is told',
      after(2 * HOUR_MS),
      undefined,
      false,
      { [PHONE]: '1' },
    ],
  ] as const)(
    'of a consent that was given and taken back, and the registry’s word is %s',
    async (_what, at, outcome, shown, beside: object = {}) => {
      const given = edit({ [REACHABLE]: { oldValue: false, newValue: true } });
      const back = edit({ [REACHABLE]: { oldValue: true, newValue: false } }, {}, after(-1_000));
      const claimed = claim([given, back], storedWith('old@example.is'));
      const answer = {
        status: 'conflict',
        current: { [REACHABLE]: true, ...beside } as Record<string, Json>,
        version: 9,
        changedAt: at,
      } as const;
      const result = await settled(claimed, answer);
      expect(portal.view.stored?.member.profile.reachable).toBe(shown);
      expect([...portal.view.later, ...portal.view.pending].at(-1)?.settled[REACHABLE]?.outcome).toBe(
        outcome,
      );
      expect(result.onward.kind).toBe(outcome === undefined ? 'send' : 'done');
    },
  );

  it('waits for an earlier edit that may still be on its way', async () => {
    const at = after(-5_000);
    const claimed = claim([edit({ [EMAIL]: ofEmail }, { isContinuation: true }, at)]);
    const result = await settled(claimed, conflict('theirs@example.is', null));
    expect(result).toEqual({ ended: null, onward: { kind: 'waiting', until: after(5_000), failure: null } });
    expect(portal.view.pending).toMatchObject([{ claim: null, delivery: null, nextAttemptAt: after(5_000) }]);
    const again = claim([edit({ [EMAIL]: ofEmail }, { isContinuation: true }, at)]);
    portal.view = { ...portal.view, pending: [edit({ [PHONE]: ofPhone }), ...portal.view.pending] };
    await settled(again, conflict('theirs@example.is', null));
    expect(portal.written).toEqual([again.delivery.changeId]);
    const old = claim([edit({ [EMAIL]: ofEmail }, { isContinuation: true }, after(-20_000))]);
    expect((await settled(old, conflict('theirs@example.is', null))).ended).toBe('conflict');
  });

  it('leaves alone what else waits', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail, [PHONE]: ofPhone })]);
    const result = await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(result).toMatchObject({ ended: 'conflict', onward: { kind: 'send' } });
    if (result.onward.kind === 'send')
      expect(Object.keys(result.onward.next.delivery.paths)).toEqual([PHONE]);
    expect(portal.view.pending).toMatchObject([{ settled: { [EMAIL]: { outcome: 'conflict' } } }]);
    expect(Object.keys(portal.view.openConflicts[0]?.paths ?? {})).toEqual([EMAIL]);
  });

  it.each([
    ['over what the registry holds', conflict('theirs@example.is', after(-2 * HOUR_MS))],
    ['since the portal has heard of something later', conflict('theirs@example.is', null, 2)],
  ])('whose change goes out again %s stays claimed, and nothing else is written', async (_what, answer) => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const { stored, pending } = portal.view;
    const beside = edit({ [PHONE]: ofPhone }, {}, NOW);
    portal.view = { ...portal.view, pending: [beside, ...pending] };
    const result = await settled({ ...claimed, isSplit: true }, answer);
    expect(result.onward).toMatchObject({ kind: 'send', next: { owner: 'me', isSplit: false } });
    if (result.onward.kind !== 'send') return;
    const { delivery } = result.onward.next;
    expect(Object.keys(delivery.paths).sort()).toEqual([EMAIL, PHONE]);
    expect(portal.view.pending).toMatchObject([
      { id: beside.id, claim: null, delivery: null },
      { id: pending[0]?.id, claim: pending[0]?.claim, delivery },
    ]);
    expect(portal.written).toEqual([pending[0]?.id]);
    expect(portal.view.stored).toBe(stored);
  });

  it('is none where the document was written since the registry was read', async () => {
    const answer = conflict('theirs@example.is', after(2 * HOUR_MS), null);
    const claimed = () => claim([edit({ [EMAIL]: ofEmail })]);
    const moved = await settled(claimed(), { answer: { ...answer, ifState: 'before' } });
    expect(moved).toMatchObject({ ended: null, onward: { kind: 'send' } });
    for (const same of [answer, { ...answer, ifState: null }])
      expect((await settled(claimed(), { answer: same })).ended).toBe('conflict');
  });

  it('is one also with the very first version, where the portal has heard of none', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect((await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS), 0))).ended).toBe(
      'conflict',
    );
  });

  it('is of the last edit of a field; those before it are superseded', async () => {
    const first = edit({ [EMAIL]: { oldValue: 'old@example.is', newValue: 'b@example.is' } });
    const last = edit(
      { [EMAIL]: { oldValue: 'b@example.is', newValue: 'new@example.is' } },
      {},
      after(-1_000),
    );
    await settled(claim([first, last]), conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(portal.view.later.map(({ settled: ended }) => ended[EMAIL]?.outcome)).toEqual([
      'superseded',
      'conflict',
    ]);
  });

  it('leaves for the next claim what waits and is nothing to send', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    const there = edit({ [PHONE]: ofPhone }, {}, after(-2_000));
    const back = edit(
      { [PHONE]: { oldValue: ofPhone.newValue, newValue: ofPhone.oldValue } },
      {},
      after(-1_000),
    );
    portal.view = { ...portal.view, pending: [...portal.view.pending, there, back] };
    const result = await settled(claimed, conflict('theirs@example.is', after(2 * HOUR_MS)));
    expect(result).toEqual({ ended: 'conflict', onward: { kind: 'claim', kennitala: KENNITALA } });
    expect(portal.written).toEqual([claimed.delivery.changeId]);
  });

  it('counts as one where the registry’s later word on a consent stands and another field goes out again', async () => {
    const given = edit({ [REACHABLE]: { oldValue: false, newValue: true } });
    const back = edit({ [REACHABLE]: { oldValue: true, newValue: false } }, {}, after(-2_000));
    const claimed = claim([given, back, edit({ [EMAIL]: ofEmail }, {}, after(-1_000))]);
    const current = { [REACHABLE]: true };
    const answer = { status: 'conflict', current, version: 9, changedAt: after(2 * HOUR_MS) } as const;
    const result = await settled(claimed, answer);
    expect(result).toMatchObject({ ended: 'conflict', onward: { kind: 'send' } });
    expect(portal.view.openConflicts).toEqual([]);
  });
});
