import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertOccurrenceDone } from '../../src/mirror/run-answer.ts';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';

const DAY_MS = 24 * 3_600_000;
let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 40 });
});
afterEach(async () => {
  await ops.close();
});

const pause = (reason = 'The list looks wrong') => ops.call('POST', '/mirrors/roster/pause', { reason });
const occurrence = { job: 'weekly', time: '2026-11-23T03:00:00Z' };

describe('a paused mirror', () => {
  it.each(['schedule', 'event'] as const)(
    'skips a run of the %s, which is not tried again',
    async (trigger) => {
      await pause();
      const report = await ops.run({ trigger, occurrence });
      expect(report.record).toMatchObject({ status: 'success', outcome: 'skipped', errorCode: 'paused' });
      expect(() => assertOccurrenceDone(report)).not.toThrow();
      expect(await ops.file()).toBeNull();
      expect(ops.logs.at(-1)).toMatchObject({
        severity: 'INFO',
        fields: { event: 'run_skipped', code: 'paused' },
      });
    },
  );

  it('refuses a run on demand, still plans dry, and takes the plan that somebody approves', async () => {
    await pause();
    const refused = await ops.call('POST', '/runs', { mirror: 'roster' });
    expect([refused.status, refused.body.code]).toEqual([409, 'paused']);
    const dry = await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true });
    expect(dry.body.run.outcome).toBe('dry-run');
    const approve = {
      planId: dry.body.run.planId,
      operator: 'Jón',
      reason: 'This one is right',
      removed: dry.body.run.changes.removed,
    };
    const approved = await ops.call('POST', '/runs', { mirror: 'roster', approve });
    expect(approved.body.run.outcome).toBe('published');
    expect((await ops.run({ trigger: 'schedule' })).record.errorCode).toBe('paused');
  });

  it('runs again once it is resumed, and an occurrence that was skipped counts as not done', async () => {
    await pause();
    await ops.run({ trigger: 'schedule', occurrence });
    const resumed = await ops.call('POST', '/mirrors/roster/resume', { reason: 'Looked at it' });
    expect(resumed.body).toEqual({ mirror: 'roster', paused: null });
    expect((await ops.run({ trigger: 'schedule', occurrence })).record.outcome).toBe('published');
  });

  it('keeps since when it is paused when it is paused again', async () => {
    const first = await pause('One reason');
    ops.clock.advance(DAY_MS);
    const again = await pause('Another reason');
    expect(again.body.paused).toEqual({ ...first.body.paused, reason: 'Another reason' });
  });

  it('has who paused and resumed it on record', async () => {
    await pause();
    await ops.call('POST', '/mirrors/roster/resume', { reason: 'Done' });
    expect(await ops.actions()).toMatchObject([
      { action: 'pause', mirror: 'roster', by: 'operator', reason: 'The list looks wrong' },
      { action: 'resume', mirror: 'roster', by: 'operator', reason: 'Done' },
    ]);
  });

  it('is not paused when that cannot be recorded', async () => {
    const disarm = ops.firestore.failNext({ code: 7, method: 'commit', times: 5 });
    expect((await pause()).status).toBe(503);
    disarm();
    expect((await ops.run({ trigger: 'schedule' })).record.outcome).toBe('published');
  });

  it('leaves the other mirrors alone', async () => {
    await ops.call('POST', '/mirrors/portal/pause', { reason: 'The portal only' });
    expect((await ops.run({ trigger: 'schedule' })).record.outcome).toBe('published');
  });
});

describe('a pause that comes while a run works', () => {
  it('stops the run before it publishes, and gives the lease back', async () => {
    const { runs } = ops.runDependencies;
    const report = await ops.run(
      { trigger: 'schedule' },
      {
        ...ops.runDependencies,
        runs: {
          ...runs,
          recordPlan: async (...input) => {
            await pause();
            return runs.recordPlan(...input);
          },
        },
      },
    );
    expect(report.record).toMatchObject({
      outcome: 'skipped',
      errorCode: 'paused',
      planId: expect.any(String),
    });
    expect(await ops.file()).toBeNull();
    expect((await ops.dependencies.states.read()).roster).toMatchObject({
      lease: null,
      pause: { reason: 'The list looks wrong' },
    });
  });
});
