import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tryKennitala } from '../../src/domain/kennitala.ts';
import { makeQueueItem, toEditTime } from '../../src/twoway/queue.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { announce as announceTo } from './support/leave-traces.ts';

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 40 });
});
afterEach(async () => {
  await ops.close();
});

const kennitalaOf = (id: number) => {
  const kennitala = tryKennitala(ops.registry.member(id).ssn);
  if (kennitala === null) throw new Error('The stand-in has members with readable numbers only.');
  return kennitala;
};
const explain = async (kennitala: string) => {
  const { status, body } = await ops.call('POST', '/explain', { kennitala });
  expect(status).toBe(200);
  return body;
};
const becauseOf = (body: Body, mirror: string) =>
  body.because.find((found: Body) => found.mirror === mirror)?.code;
const sync = () => ops.call('POST', '/runs', { mirror: 'roster' });

const announce = (id: number, action: 'create' | 'delete', version = 1) =>
  announceTo(ops, id, action, version);
/** Somebody whose version in the registry is 1: the stand-in's first members have had no change, and 0. */
const newMember = () => ops.registry.createMember().id;

describe('explaining a member', () => {
  it('tells what every store and the registry say now, and what happened in time order', async () => {
    const id = newMember();
    const kennitala = kennitalaOf(id);
    await announce(id, 'create');
    await sync();
    const body = await explain(`${kennitala.slice(0, 6)}-${kennitala.slice(6)}`);
    expect(body.now).toMatchObject({
      registry: { state: 'member' },
      roster: { state: 'listed' },
      portal: { state: 'active', version: 1, origin: 'registry', deletedAt: null },
      register: { state: 'not-configured' },
    });
    expect([becauseOf(body, 'roster'), becauseOf(body, 'portal')]).toEqual([
      'equal_to_registry',
      'equal_to_registry',
    ]);
    const entries = body.timeline.map(({ source, what }: Body) => `${source} ${what}`);
    expect(entries.toSorted()).toEqual([
      'operator explain',
      'portal last_written',
      'run added',
      'webhook applied',
    ]);
    const times = body.timeline.map(({ at }: Body) => at);
    expect(times).toEqual(times.toSorted());
    expect(body.incomplete).toEqual([]);
    expect(body.member).toBe(await ops.reference(kennitala));
  });

  it('names each run whose lists had the person, with its decision', async () => {
    await sync();
    const id = ops.registry.randomMember();
    const kennitala = kennitalaOf(id);
    ops.registry.deleteMember(id);
    const removed = await sync();
    const body = await explain(kennitala);
    expect(body.now).toMatchObject({ registry: { state: 'no-member' }, roster: { state: 'not-listed' } });
    const runs = body.timeline.filter(({ source }: Body) => source === 'run');
    expect(runs).toMatchObject([
      { what: 'added', mirror: 'roster', isPersonal: true },
      { what: 'removed', runId: removed.body.run.runId, detail: { outcome: 'published' } },
    ]);
  });

  it('finds the run in a list that is one text', async () => {
    await ops.close();
    ops = await startOpsStack({ members: 600 });
    const { body: first } = await sync();
    const found = (await explain(kennitalaOf(ops.registry.randomMember()))).timeline;
    expect(found.filter(({ source }: Body) => source === 'run')).toMatchObject([
      { what: 'added', mirror: 'roster', runId: first.run.runId },
    ]);
    const stranger = kennitalaOf(ops.registry.createMember().id);
    expect((await explain(stranger)).timeline.some(({ source }: Body) => source === 'run')).toBe(false);
  });

  it.each([
    ['before the next run', async () => undefined, 'waits_for_next_run'],
    [
      'while the mirror is paused',
      () => ops.call('POST', '/mirrors/roster/pause', { reason: 'Somebody looks' }),
      'mirror_paused',
    ],
    [
      'after a run that the guard refused',
      async (newcomer: number) => {
        let left = 15;
        while (left > 0) {
          const id = ops.registry.randomMember();
          if (id === newcomer) continue;
          ops.registry.deleteMember(id);
          left -= 1;
        }
        await sync();
      },
      'last_run_blocked',
    ],
    [
      'after a run that failed',
      async () => {
        ops.registry.acceptToken('another');
        await sync();
        ops.registry.acceptToken('token-of-the-tests');
      },
      'last_run_failed',
    ],
  ])('says why a new member is not listed yet: %s', async (_when, happen, code) => {
    await sync();
    const { id } = ops.registry.createMember();
    await happen(id);
    const body = await explain(kennitalaOf(id));
    expect(body.now).toMatchObject({ registry: { state: 'member' }, roster: { state: 'not-listed' } });
    expect(becauseOf(body, 'roster')).toBe(code);
  });

  it('shows refusals, failures and pauses among what happened, as not personal', async () => {
    await sync();
    ops.registry.acceptToken('another');
    await sync();
    await ops.call('POST', '/mirrors/roster/pause', { reason: 'Somebody looks' });
    await ops.run({ trigger: 'schedule' });
    ops.registry.acceptToken('token-of-the-tests');
    const body = await explain(kennitalaOf(ops.registry.randomMember()));
    expect(body.timeline.filter(({ isPersonal }: Body) => !isPersonal)).toMatchObject([
      { source: 'run', what: 'failed', detail: { errorCode: 'registry_unauthorized' } },
      { source: 'operator', what: 'pause', mirror: 'roster', detail: { reason: 'Somebody looks' } },
      { source: 'run', what: 'skipped', detail: { errorCode: 'paused' } },
    ]);
  });

  it('shows a rollback to everybody, since the list follows the registry no longer', async () => {
    const first = (await sync()).body.run;
    ops.registry.createMember();
    await sync();
    await ops.call('POST', '/roster/rollback', { runId: first.runId, reason: 'A wrong export' });
    const body = await explain(kennitalaOf(ops.registry.randomMember()));
    expect(body.timeline.filter(({ isPersonal }: Body) => !isPersonal)).toMatchObject([
      { source: 'run', what: 'rolled_back', detail: { rollbackOf: first.objectGeneration } },
    ]);
  });

  it('shows waiting edits by the paths of their fields, never their values', async () => {
    const kennitala = kennitalaOf(ops.registry.randomMember());
    const at = ops.clock.now();
    const item = makeQueueItem(
      {
        id: 'edit-1',
        kennitala,
        djangoId: null,
        action: 'update',
        changes: { 'profile.email': { oldValue: 'old@example.is', newValue: 'new@example.is' } },
        editedAt: toEditTime(at),
        isContinuation: false,
      },
      at,
    );
    await ops.queue.transact(kennitala, {}, at, () => ({ items: [item], result: null }));
    const body = await explain(kennitala);
    expect(body.timeline.filter(({ source }: Body) => source === 'queue')).toMatchObject([
      { what: 'edited', detail: { paths: ['profile.email'] } },
      { what: 'edit_pending', detail: { id: 'edit-1' } },
    ]);
    expect(JSON.stringify(body)).not.toContain('example.is');
  });

  it('calls what could not be read unknown, and says so, instead of "no"', async () => {
    await sync();
    const kennitala = kennitalaOf(ops.registry.randomMember());
    ops.registry.acceptToken('another');
    const disarm = ops.storage.failNext({ stage: 'before', answer: 403, times: 20, matches: () => true });
    const body = await explain(kennitala);
    disarm.disarm();
    expect(body.now.registry).toEqual({ state: 'unknown', code: 'registry_unauthorized' });
    expect(body.now.roster).toEqual({ state: 'unknown', code: 'storage_rejected' });
    expect(becauseOf(body, 'roster')).toBe('mirror_unknown');
    expect(becauseOf(body, 'portal')).toBe('registry_unknown');
    expect(body.incomplete).toEqual(
      expect.arrayContaining([
        { source: 'registry', code: 'registry_unauthorized' },
        { source: 'roster', code: 'storage_rejected' },
      ]),
    );
  });

  it('is on record before anything is read, by the opaque reference', async () => {
    const kennitala = kennitalaOf(ops.registry.randomMember());
    ops.firestore.failNext({ code: 7, method: 'commit' });
    expect((await ops.call('POST', '/explain', { kennitala })).status).toBe(503);
    await explain(kennitala);
    expect(await ops.actions()).toMatchObject([
      { action: 'explain', member: await ops.reference(kennitala), by: 'operator' },
    ]);
    expect(JSON.stringify(await ops.actions())).not.toContain(kennitala);
  });

  it('knows placeholders, and people whom nobody knows', async () => {
    await sync();
    const body = await explain('9999990019');
    expect(becauseOf(body, 'roster')).toBe('placeholder');
    const stranger = await explain('0101302989');
    expect(stranger.now).toMatchObject({ registry: { state: 'no-member' }, portal: { state: 'absent' } });
    expect(becauseOf(stranger, 'portal')).toBe('equal_to_registry');
  });

  it("shows the register's row where there is a register", async () => {
    const other = await startOpsStack({
      members: 10,
      register: {
        find: async () => ({ state: 'inactive', addedAt: '2026-01-01T00:00:00.000Z', removedAt: null }),
      },
    });
    try {
      const [id] = [other.registry.randomMember()];
      const { body } = await other.call('POST', '/explain', { kennitala: other.registry.member(id).ssn });
      expect(body.now.register).toMatchObject({ state: 'inactive' });
      expect(becauseOf(body, 'register')).toBe('waits_for_next_run');
      expect(body.timeline[0]).toMatchObject({ source: 'register', what: 'added' });
    } finally {
      await other.close();
    }
  });
});
