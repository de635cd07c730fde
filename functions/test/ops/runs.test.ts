import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 40 });
});
afterEach(async () => {
  await ops.close();
});

const deleteMembers = (count: number) => {
  for (let n = 0; n < count; n += 1) ops.registry.deleteMember(ops.registry.randomMember());
};

describe('starting a run', () => {
  it('publishes and answers the record', async () => {
    const { status, body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    expect(status).toBe(200);
    expect(body.run).toMatchObject({
      mirror: 'roster',
      trigger: 'http',
      outcome: 'published',
      memberCount: 40,
      requestedBy: 'operator',
      rollbackOf: null,
    });
    expect((await ops.file())?.split('\n')).toHaveLength(41);
  });

  it('as a dry run plans and forecasts, and publishes nothing', async () => {
    const { status, body } = await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true });
    expect(status).toBe(200);
    expect(body.run).toMatchObject({ outcome: 'dry-run', changes: { added: 40 } });
    expect(body.forecast.firestoreWrites).toBeGreaterThan(0);
    expect(await ops.file()).toBeNull();
  });

  it('that the guard refuses is a 422 with the plan, and goes through when that plan is approved', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    deleteMembers(20);
    const refused = await ops.call('POST', '/runs', { mirror: 'roster' });
    expect([refused.status, refused.body.code]).toEqual([422, 'guard_tripped']);
    expect(refused.body.run).toMatchObject({ outcome: 'blocked', changes: { removed: 20 } });
    expect(refused.body.forecast).not.toBeNull();
    const approve = {
      planId: refused.body.run.planId,
      operator: 'Jóna',
      reason: 'Twenty left together',
      removed: 20,
    };
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster', approve });
    expect(body.run).toMatchObject({ outcome: 'published', approvedBy: 'Jóna', memberCount: 20 });
  });

  it('that fails is answered with the status of its code, and the record', async () => {
    ops.registry.acceptToken('another');
    const { status, body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    expect([status, body.code, body.run.outcome]).toEqual([503, 'registry_unauthorized', 'failed']);
  });
});

describe('the history', () => {
  it('is served in pages, newest first, none twice and none left out, while new runs come', async () => {
    for (let n = 0; n < 7; n += 1) {
      await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true });
    }
    const seen: string[] = [];
    let before: string | null = null;
    do {
      const { body }: { body: Body } = await ops.call(
        'GET',
        `/runs?limit=3${before === null ? '' : `&before=${before}`}`,
      );
      seen.push(...body.runs.map((run: Body) => run.runId));
      before = body.next;
      if (seen.length === 3) await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true });
    } while (before !== null);
    expect(seen).toEqual(['run-007', 'run-006', 'run-005', 'run-004', 'run-003', 'run-002', 'run-001']);
  });

  it('can be of one mirror, of one outcome, and of both', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    await ops.call('POST', '/runs', { mirror: 'roster', dryRun: true });
    await ops.call('POST', '/runs', { mirror: 'roster' });
    const idsOf = async (query: string) =>
      (await ops.call('GET', `/runs?${query}`)).body.runs.map((run: Body) => run.runId);
    expect(await idsOf('mirror=portal')).toEqual([]);
    expect(await idsOf('outcome=dry-run')).toEqual(['run-002']);
    expect(await idsOf('mirror=roster&outcome=unchanged')).toEqual(['run-003']);
    expect(await idsOf('mirror=roster')).toHaveLength(3);
  });

  it('shows one run, without the stack of a failure', async () => {
    ops.registry.acceptToken('another');
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    const found = await ops.call('GET', `/runs/${body.run.runId}`);
    expect(found.body.run).toEqual(body.run);
    expect(JSON.stringify(found.body)).not.toContain('    at ');
  });
});

describe('who was added and removed', () => {
  it('is shown to an administrator, and each look is on record', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    const before = (await ops.file())?.trim().split('\n') ?? [];
    deleteMembers(2);
    ops.registry.createMember();
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    const after = (await ops.file())?.trim().split('\n') ?? [];
    const path = `/runs/${body.run.runId}/changes`;
    const changes = await ops.call('GET', path);
    expect(changes.body).toEqual({
      runId: body.run.runId,
      added: after.filter((kennitala) => !before.includes(kennitala)),
      removed: before.filter((kennitala) => !after.includes(kennitala)),
      nextPage: null,
    });
    await ops.call('GET', path);
    const looks = await ops.actions();
    expect(looks).toHaveLength(2);
    expect(looks[0]).toMatchObject({
      action: 'view_changes',
      by: 'operator',
      byKind: 'person',
      runId: body.run.runId,
      mirror: 'roster',
      requestId: changes.headers.get('x-request-id'),
    });
    expect(looks[0]?.['expireAt'].toDate().getUTCFullYear()).toBe(new Date().getUTCFullYear() + 1);
  });

  it('is not shown when the look cannot be recorded', async () => {
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    ops.firestore.failNext({ code: 7, method: 'commit' });
    const { status, body: problem } = await ops.call('GET', `/runs/${body.run.runId}/changes`);
    expect([status, problem.code, problem.added]).toEqual([503, 'audit_unavailable', undefined]);
  });

  it('is empty for a run that changed nothing, and ends where its pages end', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster' });
    const path = `/runs/${body.run.runId}/changes`;
    expect((await ops.call('GET', path)).body).toMatchObject({ added: [], removed: [], nextPage: null });
    expect((await ops.call('GET', `${path}?page=1`)).status).toBe(404);
  });
});

describe('the logs', () => {
  it('hold no kennitala, whatever is asked for', async () => {
    await ops.call('POST', '/runs', { mirror: 'roster' });
    const members = (await ops.file())?.trim().split('\n') ?? [];
    await ops.call('GET', '/runs/run-001/changes');
    await ops.call('POST', '/explain', { kennitala: members[0] });
    await ops.send('GET', `/runs/${members[1]}`);
    await ops.send('GET', `/queue/${members[1]}?status=${members[2]}`);
    const written = JSON.stringify(ops.logs);
    expect(members.filter((kennitala) => written.includes(kennitala))).toEqual([]);
    expect(JSON.stringify(await ops.actions())).not.toContain(members[0]);
  });
});
