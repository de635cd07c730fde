import { Timestamp } from 'firebase-admin/firestore';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { DueOptions } from '../../src/twoway/ports.ts';
import { pushEdits } from '../../src/twoway/sweep.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { EMAIL, type MemoryStack, NOW, openMemoryStack } from './support/memory-stack.ts';

const [ONE, TWO, THREE] = makeKennitalas(3, 62_000) as [Kennitala, Kennitala, Kennitala];
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const at = (ms: number) => new Date(NOW + ms);
const away = new SyncError('registry_unreachable', 'away');

let stack: MemoryStack;
beforeEach(() => {
  stack = openMemoryStack();
});
const { signal } = new AbortController();

/** Their edits met a registry that was away, and are due again in half a minute. */
const editedWhileAway = async (...kennitalas: Kennitala[]) => {
  await stack.load(kennitalas);
  stack.registry.failure = away;
  for (const kennitala of kennitalas) stack.edit(kennitala, { [EMAIL]: `${kennitala}@example.is` });
  for (const write of stack.edits.splice(0))
    await expect(stack.track(write)).rejects.toMatchObject({ code: 'registry_unreachable' });
  stack.registry.failure = null;
  stack.logs.length = 0;
};

describe('what is sent', () => {
  const push = (which: DueOptions['which'], given = signal) => pushEdits(which, given, stack.dependencies);
  const taken = (success: number) => ({ success, failed: 0, conflicts: 0, failure: null });

  it('is what is due; or also what waits', async () => {
    await editedWhileAway(ONE, TWO);
    stack.clock.ms += 30_000 - 1;
    expect(await push('due')).toEqual(taken(0));
    expect(await push('waiting')).toEqual(taken(2));
    expect(await push('waiting')).toEqual(taken(0));
  });

  it('waits with an edit that failed, and is then no failure, also where another one is due', async () => {
    await editedWhileAway(ONE);
    stack.edit(ONE, { 'profile.phone': '5559999' });
    for (const write of stack.edits.splice(0))
      await expect(stack.track(write)).rejects.toMatchObject({ code: 'registry_unavailable' });
    expect(await push('due')).toEqual(taken(0));
    expect(stack.registry.told).toEqual([]);
    expect(await push('waiting')).toMatchObject({ failed: 0, failure: null });
  });

  it('is no dead letter that an operator has given up, beside one that they have not', async () => {
    await editedWhileAway(ONE);
    stack.registry.failure = away;
    stack.clock.ms += 3 * DAY_MS;
    await push('due');
    const [givenUp] = stack.items();
    stack.memory.write('update', `sync_queue/${givenUp?.['id']}`, { synced_at: Timestamp.fromDate(at(0)) });
    stack.edit(ONE, { 'profile.phone': '5559999' });
    for (const write of stack.edits.splice(0)) await stack.track(write).catch(() => undefined);
    stack.clock.ms += 3 * DAY_MS;
    await push('due');
    stack.registry.failure = null;
    expect(await push('failed')).toEqual(taken(1));
    expect(stack.registry.told.flat().map(({ changes }) => changes)).toEqual([
      { 'profile.phone': '5559999' },
    ]);
  });

  it('is everything, however many members have something', async () => {
    await editedWhileAway(ONE, TWO, THREE);
    stack.clock.ms += 30_000;
    const { members } = stack.dependencies.store;
    const asked: DueOptions[] = [];
    stack.dependencies.store.members = (options) => {
      asked.push({ ...options, except: new Set(options.except) });
      return members({ ...options, limit: 2 });
    };
    expect(await push('due')).toEqual(taken(3));
    expect(asked.map(({ except }) => except.size)).toEqual([0, 2, 3]);
    expect(asked[0]).toMatchObject({ which: 'due', now: at(30_000), limit: 400 });
  });

  it('is nothing where there is no time', async () => {
    await editedWhileAway(ONE);
    expect(await push('waiting', AbortSignal.abort())).toEqual(taken(0));
    expect(stack.registry.told).toEqual([]);
  });

  it('is counted by what became of it', async () => {
    await editedWhileAway(ONE, TWO, THREE);
    stack.clock.ms += 30_000;
    stack.registry.take = ({ kennitala }) => {
      if (kennitala === ONE) return { status: 'refused', code: 'invalid_value', message: 'no' };
      if (kennitala === TWO) return { status: 'refused', code: 'internal', message: 'a fault' };
      return { status: 'conflict', current: { [EMAIL]: 'x@example.is' }, version: 9, changedAt: null };
    };
    expect(await push('due')).toEqual({ success: 0, failed: 2, conflicts: 1, failure: null });
  });

  it('is counted as failed, with the reason, where the store fails', async () => {
    await editedWhileAway(ONE, TWO);
    stack.clock.ms += 30_000;
    stack.firestore.fails = (what) => what.includes('transaction');
    expect(await push('due')).toMatchObject({
      success: 0,
      failed: 2,
      conflicts: 0,
      failure: { code: 'store_unavailable' },
    });
  });

  it('is a dead letter where an operator asks for it, and for another three days', async () => {
    await editedWhileAway(ONE);
    stack.registry.failure = away;
    stack.clock.ms += 3 * DAY_MS;
    expect(await push('due')).toEqual({ success: 0, failed: 1, conflicts: 0, failure: null });
    expect(stack.items()).toMatchObject([{ sync_status: 'failed' }]);
    expect(await push('failed')).toEqual({ success: 0, failed: 1, conflicts: 0, failure: null });
    expect(stack.items()).toMatchObject([{ sync_status: 'pending', retry_count: 1 }]);
    stack.registry.failure = null;
    expect(await push('waiting')).toEqual(taken(1));
    expect(stack.profileOf(ONE)['email']).toBe(`${ONE}@example.is`);
  });
});

describe('a run', () => {
  it('is on record as running, and then as it ended', async () => {
    await editedWhileAway(ONE);
    stack.clock.ms += 30_000;
    stack.registry.outbox.push([{ id: 5, ssn: TWO, action: 'delete', createdAt: at(0) }]);
    const seen: unknown[] = [];
    const { take } = stack.registry;
    stack.registry.take = (change) => {
      seen.push(...stack.records());
      stack.clock.ms += 1_000;
      return take(change);
    };
    const record = await stack.run({ trigger: 'schedule', requestedBy: null });
    expect(seen).toMatchObject([
      {
        id: 'run-1',
        status: 'running',
        trigger: 'schedule',
        firestore_to_django: { success: 0, failed: 0 },
        django_to_firestore: { success: 0, failed: 0 },
        conflicts: 0,
        error_code: null,
      },
    ]);
    expect(record).toEqual({
      id: 'run-1',
      trigger: 'schedule',
      status: 'success',
      startedAt: at(30_000),
      completedAt: at(31_000),
      firestoreToDjango: { success: 1, failed: 0 },
      djangoToFirestore: { success: 1, failed: 0 },
      conflicts: 0,
      cleaned: 0,
      errorCode: null,
      error: null,
      requestedBy: null,
      expireAt: at(30_000 + 365 * DAY_MS),
    });
    expect(stack.records()).toMatchObject([{ id: 'run-1', status: 'success' }]);
    expect(stack.logs.at(-1)).toMatchObject({ event: 'two_way_run', runId: 'run-1', sent: 1, received: 1 });
  });

  it('is partial where one of both directions failed in part', async () => {
    await editedWhileAway(ONE);
    stack.clock.ms += 30_000;
    stack.registry.take = () => ({ status: 'refused', code: 'invalid_value', message: 'no' });
    expect(await stack.run({ requestedBy: 'someone' })).toMatchObject({
      status: 'partial',
      firestoreToDjango: { success: 0, failed: 1 },
      requestedBy: 'someone',
    });
    stack.registry.outbox.push([{ id: 5, ssn: 'nobody', action: 'update', createdAt: at(0) }]);
    expect(await stack.run()).toMatchObject({
      status: 'partial',
      djangoToFirestore: { success: 0, failed: 1 },
    });
  });

  it('says how many conflicts it left', async () => {
    await editedWhileAway(ONE);
    stack.clock.ms += 30_000;
    const current = { [EMAIL]: 'theirs@example.is' };
    stack.registry.take = () => ({ status: 'conflict', current, version: 9, changedAt: null });
    expect(await stack.run()).toMatchObject({ status: 'success', conflicts: 1 });
  });

  it('has failed where the registry did, and says what was sent before', async () => {
    await editedWhileAway(ONE);
    stack.clock.ms += 30_000;
    stack.dependencies.changes.outbox = async () => {
      throw away;
    };
    expect(await stack.run()).toMatchObject({
      status: 'error',
      errorCode: 'registry_unreachable',
      error: 'away',
      firestoreToDjango: { success: 1, failed: 0 },
      cleaned: 0,
    });
    expect(stack.logs.some(({ event }) => event === 'two_way_failed')).toBe(false);
  });

  it('has failed where the store failed on an edit, and yet takes over what the registry has', async () => {
    await editedWhileAway(ONE);
    stack.clock.ms += 30_000;
    stack.registry.outbox.push([{ id: 5, ssn: ONE, action: 'update', createdAt: at(0) }]);
    let failures = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++failures === 1;
    expect(await stack.run()).toMatchObject({
      status: 'error',
      errorCode: 'store_unavailable',
      djangoToFirestore: { success: 1, failed: 0 },
    });
  });

  it('tells of a fault of ours by its place in the code, never by its message', async () => {
    stack.dependencies.changes.outbox = async () => {
      throw new TypeError(`about ${ONE}`);
    };
    expect(await stack.run()).toMatchObject({ status: 'error', errorCode: 'internal' });
    const told = stack.logs.find(({ event }) => event === 'two_way_failed');
    expect(told?.['stack']).toContain('pullChanges');
    expect(JSON.stringify(stack.logs)).not.toContain(ONE);
  });

  it('ends as it ended also where its record cannot be closed, and does not begin without one', async () => {
    const { write } = stack.dependencies.log;
    const lost = new SyncError('store_unavailable', 'no');
    stack.dependencies.log.write = async (record) => {
      if (record.status !== 'running') throw lost;
      await write(record);
    };
    expect(await stack.run()).toMatchObject({ status: 'success' });
    expect(stack.records()).toMatchObject([{ status: 'running' }]);
    expect(stack.logs.at(-1)).toMatchObject({ event: 'record_lost', code: 'store_unavailable' });
    stack.dependencies.log.write = async () => {
      throw lost;
    };
    stack.registry.outbox.push([{ id: 5, ssn: TWO, action: 'delete', createdAt: at(0) }]);
    await expect(stack.run()).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(stack.registry.marked).toEqual([]);
  });

  it('deletes what has been over for thirty days', async () => {
    await editedWhileAway(ONE);
    stack.clock.ms += 30_000;
    await stack.run();
    stack.clock.ms += 30 * DAY_MS;
    expect(await stack.run()).toMatchObject({ cleaned: 0 });
    stack.clock.ms += 1;
    const { deleteSynced } = stack.dependencies.store;
    let calls = 0;
    stack.dependencies.store.deleteSynced = async (before) => {
      calls += 1;
      return deleteSynced(before);
    };
    expect(await stack.run()).toMatchObject({ cleaned: 1 });
    // Until one deletes nothing.
    expect([stack.items(), calls]).toEqual([[], 2]);
  });
});
