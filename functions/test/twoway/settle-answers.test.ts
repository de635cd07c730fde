import { beforeEach, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import {
  claim,
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
  registry,
  reset,
  rowOf,
  settled,
  storedWith,
} from './support/settling.ts';

beforeEach(reset);

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

  it('is read back where the portal has heard of a later one and shows something else', async () => {
    registry.readings = [rowOf('theirs@example.is', 9)];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], heardLater());
    expect(await settled(claimed, { status: 'success', version: 4 })).toMatchObject({ ended: 'synced' });
    expect(registry.reads).toBe(1);
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
      expect(portal.view.stored?.meta).toMatchObject({ source_version: 8, source_hash: 'of something else' });
    }
    expect([registry.reads, email()]).toEqual([0, 'new@example.is']);
    const known = storedWith('new@example.is', 3);
    await settled(claim([edit({ [EMAIL]: ofEmail })], known), { status: 'success', version: 4 });
    expect(portal.view.stored?.meta.source_hash).not.toBe(known.meta.source_hash);
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
  });

  it('waits where the member cannot be read', async () => {
    registry.readings = [new SyncError('registry_timeout', 'slow')];
    const claimed = claim([edit({ [EMAIL]: ofEmail })], storedWith('new@example.is', null));
    expect(await settled(claimed, unproved)).toMatchObject({
      onward: { kind: 'waiting', failure: { code: 'registry_timeout' } },
    });
  });
});
