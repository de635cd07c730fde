import { beforeEach, describe, expect, it } from 'vitest';
import type { StoredMember } from '../../src/domain/member/decide-change.ts';
import { sourceHash } from '../../src/domain/member/patch.ts';
import { SyncError } from '../../src/lib/errors.ts';
import {
  after,
  claim,
  EDITED,
  EMAIL,
  edit,
  email,
  heardLater,
  KENNITALA,
  NOW,
  ofEmail,
  ofPhone,
  PHONE,
  portal,
  REACHABLE,
  registry,
  reset,
  rowOf,
  settled,
  storedWith,
} from './support/settling.ts';

beforeEach(reset);
const hashShown = () => portal.view.stored && sourceHash(portal.view.stored.member);
const withReachable = ({ member, meta }: StoredMember, reachable: boolean): StoredMember => ({
  member: { ...member, profile: { ...member.profile, reachable } },
  meta,
});
/** The queue has the edit that gave it. */
const heardOn = ({ member, meta }: StoredMember): StoredMember => ({
  member,
  meta: { ...meta, heard: { consents: { [REACHABLE]: true }, writtenOver: {} } },
});

describe('a change that the registry has taken', () => {
  it('ends, and what else waits is taken next', async () => {
    expect(await settled(claim([edit({ [EMAIL]: ofEmail })]), { status: 'success', version: 4 })).toEqual({
      ended: 'synced',
      onward: { kind: 'done' },
    });
    expect(portal.view.later).toMatchObject([
      { status: 'synced', syncedAt: NOW, claim: null, delivery: null },
    ]);
    // One less, since its webhook brings the whole member.
    expect(portal.view.stored?.meta.source_version).toBe(3);
    const claimed = claim([edit({ [EMAIL]: ofEmail })]);
    portal.view = { ...portal.view, pending: [...portal.view.pending, edit({ [PHONE]: ofPhone }, {}, NOW)] };
    expect((await settled(claimed, { status: 'success', version: 4 })).onward).toEqual({
      kind: 'claim',
      kennitala: KENNITALA,
    });
  });

  it('makes what the document says older than itself by one, and is shown where an event had shown the old value', async () => {
    await settled(claim([edit({ [EMAIL]: ofEmail })], storedWith('old@example.is')), {
      status: 'success',
      version: 9,
    });
    expect([email(), portal.view.stored?.meta.source_version]).toEqual(['new@example.is', 8]);
    expect(portal.view.stored?.meta.source_hash).toBe(hashShown());
  });

  it('leaves a later edit of the same field to be shown', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('later@example.is'));
    const later = edit({ [EMAIL]: { oldValue: ofEmail.newValue, newValue: 'later@example.is' } }, {}, NOW);
    portal.view = { ...portal.view, pending: [...portal.view.pending, later] };
    await settled(claimed, { status: 'success', version: 4 });
    expect(email()).toBe('later@example.is');
  });

  it('ends also where it was of a field that nobody knows here, or from a value that cannot be read', async () => {
    const former = { 'profile.former': { oldValue: 'a', newValue: 'b' } };
    const unreadable = { [EMAIL]: { oldValue: 7, newValue: 'new@example.is' } };
    for (const changes of [former, unreadable]) {
      const claimed = claim([edit(changes)], storedWith('new@example.is'));
      expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
      expect(portal.view.stored?.member).toEqual(storedWith('new@example.is').member);
    }
    const told = { [EMAIL]: { oldValue: 'old@example.is', newValue: 7 } };
    await settled(claim([edit(told)], storedWith('old@example.is')), { status: 'success', version: 4 });
    expect([email(), portal.view.stored?.meta.source_hash]).toEqual(['old@example.is', hashShown()]);
  });

  it('is read back where the portal has heard of a later one and shows something else', async () => {
    registry.readings = [rowOf('theirs@example.is', 9)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
    expect(registry.reads).toBe(1);
    expect(email()).toBe('theirs@example.is');
  });

  it('of a withdrawn consent leaves no mark, so that what the registry says of it since is shown', async () => {
    registry.readings = [rowOf('old@example.is', 9, { reachable: true })];
    const withdrawal = { [REACHABLE]: { oldValue: true, newValue: false } };
    const claimed = claim([edit(withdrawal)], heardLater());
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
    expect(portal.view.stored?.member.profile.reachable).toBe(true);
    expect(portal.view.stored?.meta.withdrawn ?? {}).toEqual({});
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
      expect(portal.view.stored?.meta).toMatchObject({ source_version: 8, source_hash: 'of something else' });
    }
    expect([registry.reads, email()]).toEqual([0, 'new@example.is']);
    const known = storedWith('new@example.is', 3);
    await settled(claim([edit({ [EMAIL]: ofEmail })], known), { status: 'success', version: 4 });
    expect(portal.view.stored?.meta.source_hash).not.toBe(known.meta.source_hash);
    expect(portal.view.stored?.meta.source_hash).toBe(hashShown());
  });

  it('is not read back where a later word of the registry shows it', async () => {
    const { member, meta } = storedWith('new@example.is', 8);
    const heard = { member, meta: { ...meta, source_hash: sourceHash(member) } };
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heard);
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
    expect([registry.reads, portal.view.stored]).toEqual([
      0,
      { ...heard, meta: { ...heard.meta, withdrawn: {} } },
    ]);
  });

  it('may have the very first version: nothing is older', async () => {
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, { status: 'success', version: 0 })).toMatchObject({ ended: 'synced' });
    expect([registry.reads, portal.view.stored?.meta.source_version]).toEqual([0, null]);
  });

  it('was the last of its field: those before it are superseded, and nothing else is written', async () => {
    const first = edit({ [EMAIL]: { oldValue: 'old@example.is', newValue: 'b@example.is' } });
    const last = edit(
      { [EMAIL]: { oldValue: 'b@example.is', newValue: 'new@example.is' } },
      {},
      after(-1_000),
    );
    const claimed = claim([first, last]);
    portal.view = { ...portal.view, pending: [...portal.view.pending, edit({ [PHONE]: ofPhone }, {}, NOW)] };
    await settled(claimed, { status: 'success', version: 4 });
    expect(portal.view.later.map(({ settled: ended }) => ended[EMAIL]?.outcome)).toEqual([
      'superseded',
      'synced',
    ]);
    expect(portal.written).toEqual([first.id, last.id]);
  });

  it('of a consent that was withdrawn meanwhile stays off here, and it is known that the registry has it on', async () => {
    const given = { [REACHABLE]: { oldValue: false, newValue: true } };
    const claimed = claim([edit(given)], heardOn(storedWith('old@example.is')));
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
    const { member, meta } = portal.view.stored ?? storedWith('');
    expect(member.profile.reachable).toBe(false);
    expect(meta.heard?.consents).toMatchObject({ [REACHABLE]: true });
    expect(meta.source_hash).toBe(sourceHash(withReachable({ member, meta }, true).member));
    const shown = claim([edit(given)], heardOn(withReachable(storedWith('old@example.is'), true)));
    await settled(shown, { status: 'success', version: 4 });
    expect(portal.view.stored?.member.profile.reachable).toBe(true);
    expect(portal.view.stored?.meta.source_hash).toBe(hashShown());
  });

  it('waits where the member is written whenever they are read', async () => {
    registry.readings = [rowOf('theirs@example.is', 5)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({
      ended: null,
      onward: {
        kind: 'waiting',
        failure: { code: 'store_unavailable', message: 'The member was written 5 times while it was read.' },
      },
    });
    expect(registry.reads).toBe(5);
    expect(portal.view.pending).toMatchObject([{ status: 'pending', retryCount: 1 }]);
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
    registry.readings = [shows];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({ ended, onward: { kind: 'done' } });
    expect(portal.view.later).toMatchObject([{ status, errorMessage }]);
    expect(portal.logs).toEqual(
      ended === 'synced'
        ? []
        : [expect.objectContaining({ event: 'edit_refused', member: 'm_first', paths: [EMAIL] })],
    );
    if (shows !== null) expect(email()).toBe(ended === 'synced' ? 'new@example.is' : 'old@example.is');
  });

  it('is a conflict where it shows neither', async () => {
    registry.readings = [rowOf('theirs@example.is', null)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({ ended: 'conflict', onward: { kind: 'done' } });
    expect(portal.view.openConflicts).toMatchObject([
      {
        kennitala: KENNITALA,
        paths: { [EMAIL]: { winner: 'registry', reason: 'incomparable', state: 'open' } },
      },
    ]);
    expect(email()).toBe('theirs@example.is');
  });

  it.each([
    ['shows: no mark stays', false, {}],
    ['does not show: it is off here, and marked so', true, { [REACHABLE]: EDITED }],
  ])('of a withdrawn consent, which the registry %s', async (_what, reachable, withdrawn) => {
    registry.readings = [rowOf('old@example.is', null, { reachable })];
    const withdrawal = { [REACHABLE]: { oldValue: true, newValue: false } };
    await settled(claim([edit(withdrawal)], storedWith('old@example.is', null)), unproved);
    expect(portal.view.stored?.member.profile.reachable).toBe(false);
    expect(portal.view.stored?.meta.withdrawn ?? {}).toEqual(withdrawn);
  });

  it('has not taken a field that it does not mention, and is in no conflict about it', async () => {
    registry.readings = [rowOf('x', null, { contact_info: { email: 'old@example.is' } })];
    const cleared = { oldValue: '5550001', newValue: '' };
    const claimed = claim([edit({ [PHONE]: cleared })], storedWith('old@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({ ended: 'failed' });
    expect(portal.view.openConflicts).toEqual([]);
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
    expect(registry.reads).toBe(0);
    // It may be older than what somebody has written since.
    registry.readings = [content];
    const again = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    const outdated = { ...answer, reading: { change, ifState: 'before' } };
    expect(await settled(again, { answer: outdated })).toMatchObject({ ended: 'synced' });
    expect(registry.reads).toBe(1);
  });

  it('of a registration is read for the new row’s id, and ends where that member cannot be read, unless the portal has heard something else', async () => {
    const create = edit({ [EMAIL]: { oldValue: null, newValue: ofEmail.newValue } }, { action: 'create' });
    const taken = { status: 'success', version: 4 } as const;
    registry.readings = [new SyncError('member_invalid', 'no')];
    expect(await settled(claim([create], storedWith('new@example.is')), taken)).toMatchObject({
      ended: 'synced',
    });
    expect(await settled(claim([create], heardLater()), taken)).toMatchObject({
      onward: { kind: 'waiting', failure: { code: 'member_invalid' } },
    });
    expect(registry.reads).toBe(2);
  });

  it.each(['registry_timeout', 'member_invalid'] as const)(
    'waits where the member cannot be read: %s',
    async (code) => {
      registry.readings = [new SyncError(code, 'no')];
      const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
      expect(await settled(claimed, unproved)).toMatchObject({
        onward: { kind: 'waiting', failure: { code } },
      });
    },
  );
});
