import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runRollback } from '../../src/roster/rollback.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 60 });
});
afterEach(async () => {
  await ops.close();
});

/** Publishes a second list that has `gone` members less; answers the first one and the two runs. */
const publishTwice = async (gone = 3) => {
  const first = (await ops.call('POST', '/runs', { mirror: 'roster' })).body.run;
  const list = await ops.file();
  for (let n = 0; n < gone; n += 1) ops.registry.deleteMember(ops.registry.randomMember());
  const second = (await ops.call('POST', '/runs', { mirror: 'roster' })).body.run;
  return { first, second, list };
};
const rollBack = (body: object) => ops.call('POST', '/roster/rollback', body);

describe('rolling the list back', () => {
  it('restores the version of a run, byte for byte, and keeps it by a pause', async () => {
    const { first, second, list } = await publishTwice();
    const { status, body } = await rollBack({ runId: first.runId });
    expect(status).toBe(200);
    expect(body.run).toMatchObject({
      mirror: 'roster',
      trigger: 'http',
      outcome: 'published',
      rollbackOf: first.objectGeneration,
      previousGeneration: second.objectGeneration,
      changes: { added: 3, removed: 0 },
      memberCount: 60,
      requestedBy: 'operator',
    });
    expect(await ops.file()).toBe(list);
    expect((await ops.run({ trigger: 'schedule' })).record.errorCode).toBe('paused');
    expect(await ops.file()).toBe(list);
    const states = await ops.dependencies.states.read();
    expect(states.roster.pause).toMatchObject({
      by: 'operator',
      reason: `rolled back to version ${first.objectGeneration}`,
    });
    expect(states.roster.lastSuccess?.runId).toBe(second.runId);
    expect((await ops.call('GET', '/status')).body.mirrors[0]).toMatchObject({
      members: 60,
      why: ['paused'],
    });
  });

  it('names who comes back and who goes, as any run does', async () => {
    const { first } = await publishTwice();
    const { body } = await rollBack({ generation: first.objectGeneration });
    const changes = await ops.call('GET', `/runs/${body.run.runId}/changes`);
    expect(changes.body.added).toHaveLength(3);
  });

  it('can be looked at first, and then be approved by its plan id', async () => {
    const { first, list } = await publishTwice();
    const dry = await rollBack({ generation: first.objectGeneration, dryRun: true });
    expect(dry.body.run).toMatchObject({ outcome: 'dry-run', changes: { added: 3 } });
    expect(await ops.file()).not.toBe(list);
    expect((await ops.dependencies.states.read()).roster.pause).toBeNull();
    const approve = {
      planId: dry.body.run.planId,
      operator: 'Jóna',
      reason: 'The newer list is wrong',
      removed: dry.body.run.changes.removed,
    };
    const done = await rollBack({ generation: first.objectGeneration, approve });
    expect(done.body.run).toMatchObject({ outcome: 'published', approvedBy: 'Jóna' });
    expect((await ops.dependencies.states.read()).roster.pause?.reason).toBe('The newer list is wrong');
  });

  it('meets the guard, and pauses nothing when it is refused', async () => {
    const small = await startOpsStack({ members: 20 });
    try {
      const first = (await small.call('POST', '/runs', { mirror: 'roster' })).body.run;
      for (let n = 0; n < 30; n += 1) small.registry.createMember();
      await small.call('POST', '/runs', { mirror: 'roster' });
      const refused = await small.call('POST', '/roster/rollback', { runId: first.runId });
      expect([refused.status, refused.body.code]).toEqual([422, 'guard_tripped']);
      expect((await small.dependencies.states.read()).roster.pause).toBeNull();
      const approve = {
        planId: refused.body.run.planId,
        operator: 'Jóna',
        reason: 'Thirty were spam',
        removed: refused.body.run.changes.removed,
      };
      const done = await small.call('POST', '/roster/rollback', { runId: first.runId, approve });
      expect(done.body.run).toMatchObject({ outcome: 'published', memberCount: 20 });
    } finally {
      await small.close();
    }
  });

  it('is refused when the list has moved since the plan that was approved', async () => {
    const { first } = await publishTwice();
    const dry = await rollBack({ runId: first.runId, dryRun: true });
    ops.registry.createMember();
    await ops.call('POST', '/runs', { mirror: 'roster' });
    const approve = {
      planId: dry.body.run.planId,
      operator: 'Jóna',
      reason: 'Too late',
      removed: dry.body.run.changes.removed,
    };
    const { status, body } = await rollBack({ runId: first.runId, approve });
    expect([status, body.code]).toEqual([409, 'plan_changed']);
  });

  it('never takes the plan id of a run that follows the registry, even for the same list', async () => {
    const { first } = await publishTwice();
    const ordinary = (await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true })).body.run;
    const second = (await ops.call('GET', '/runs?outcome=published')).body.runs[0];
    const rollback = (await rollBack({ runId: second.runId, dryRun: true })).body.run;
    expect(rollback.sha256).toBe(ordinary.sha256);
    expect(rollback.planId).not.toBe(ordinary.planId);
    expect((await rollBack({ runId: first.runId, dryRun: true })).body.run.planId).not.toBe(rollback.planId);
  });

  it('is approved for one version, not for another that holds the same', async () => {
    const { first, second } = await publishTwice();
    const same = (await rollBack({ runId: first.runId })).body.run;
    await rollBack({ runId: second.runId });
    const dryOf = async (runId: string) => (await rollBack({ runId, dryRun: true })).body.run;
    const [one, other] = [await dryOf(first.runId), await dryOf(same.runId)];
    expect(one.sha256).toBe(other.sha256);
    expect(one.planId).not.toBe(other.planId);
  });

  it('works on a paused mirror, and repeated it changes nothing', async () => {
    const { first, second, list } = await publishTwice();
    await rollBack({ runId: first.runId });
    expect((await rollBack({ runId: first.runId })).body.run.outcome).toBe('unchanged');
    expect(await ops.file()).toBe(list);
    expect((await rollBack({ runId: second.runId })).body.run).toMatchObject({
      outcome: 'published',
      memberCount: 57,
    });
  });

  it('is kept by the pause even when the process dies right after the list was published', async () => {
    const { first, list } = await publishTwice();
    const { versions, store, run } = ops.dependencies.rollback;
    const runs = { ...run.runs, finish: () => Promise.reject(new Error('the process died here')) };
    const dying = runRollback(
      first.objectGeneration,
      { by: 'operator' },
      { versions, store, run: { ...run, runs } },
    );
    await expect(dying).rejects.toThrow('died');
    expect(await ops.file()).toBe(list);
    ops.clock.advance(200_000);
    expect((await ops.run({ trigger: 'schedule' })).record.errorCode).toBe('paused');
    expect(await ops.file()).toBe(list);
  });

  it('of a run that published nothing is a 404', async () => {
    ops.registry.acceptToken('another');
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    expect((await rollBack({ runId: body.run.runId })).status).toBe(404);
  });

  it('to a version that is not kept is a 404, and no failed run that would alert somebody', async () => {
    await publishTwice();
    const { status, body } = await rollBack({ generation: '123', reason: 'A slip of the hand' });
    expect([status, body.code]).toEqual([404, 'not_found']);
    expect((await ops.call('GET', '/runs?outcome=failed')).body.runs).toEqual([]);
    expect(ops.logs.filter(({ fields }) => fields['event'] === 'run_failed')).toEqual([]);
  });

  it('has its reason in the record and in the pause, and a look at it has none', async () => {
    const { first } = await publishTwice();
    const reason = 'Those three are spam';
    const dry = await rollBack({ runId: first.runId, reason, dryRun: true });
    expect(dry.body.run.reason).toBeNull();
    const { body } = await rollBack({ runId: first.runId, reason });
    expect((await ops.call('GET', `/runs/${body.run.runId}`)).body.run.reason).toBe(reason);
    expect((await ops.dependencies.states.read()).roster.pause?.reason).toBe(reason);
  });

  it('says in the log where the list came from', async () => {
    const { first } = await publishTwice();
    await rollBack({ runId: first.runId });
    const received = ops.logs.filter(({ fields }) => fields['event'] === 'source_received').at(-1);
    expect(received?.message).toContain(`from version ${first.objectGeneration} of the list`);
  });
});

describe('the versions of the list', () => {
  it('are listed newest first, with what each run published', async () => {
    const { first, second } = await publishTwice();
    const { body } = await ops.call('GET', '/roster/versions');
    expect(body.versions).toMatchObject([
      { generation: second.objectGeneration, runId: second.runId, isCurrent: true, memberCount: 57 },
      { generation: first.objectGeneration, runId: first.runId, isCurrent: false, memberCount: 60 },
    ]);
    expect(body.versions.map((version: Body) => version.sha256)).toEqual([second.sha256, first.sha256]);
  });

  it('are none before the first run', async () => {
    expect((await ops.call('GET', '/roster/versions')).body).toEqual({ versions: [] });
  });
});
