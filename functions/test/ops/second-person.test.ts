import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { startReconcileStack } from '../support/stack.ts';

let ops: OpsStack;
const start = async (needsSecondPerson: boolean) => {
  ops = await startOpsStack({
    members: 60,
    settings: { APPROVAL_NEEDS_SECOND_PERSON: String(needsSecondPerson) },
  });
};
beforeEach(() => start(true));
afterEach(() => ops.close());

const post = (uid: string, path: string, body: object) =>
  ops.call('POST', path, body, ops.tokenOf({ roles: ['admin'] }, uid));
const listed = async () => (await ops.file())?.trim().split('\n') ?? [];
const approvalOf = ({ planId, changes }: Body) => ({
  planId,
  operator: 'Somebody else, as they type',
  reason: 'They left together',
  removed: changes.removed,
});
/** Sixty are published, thirty leave, and whoever is given asks for a run that the guard refuses. */
const refuse = async (ask: () => Promise<Body>): Promise<Body> => {
  await post('first', '/runs', { mirror: 'roster' });
  for (let n = 0; n < 30; n += 1) ops.registry.deleteMember(ops.registry.randomMember());
  const run = await ask();
  expect(run.changes.removed).toBe(30);
  return run;
};
const askedBy =
  (uid: string, body: object = {}) =>
  async (): Promise<Body> =>
    (await post(uid, '/runs', { mirror: 'roster', ...body })).body.run;
const approve = (uid: string, run: Body) =>
  post(uid, '/runs', { mirror: 'roster', approve: approvalOf(run) });

const expectRefusal = ({ status, body }: Body) => {
  expect([status, body.code, body.run.outcome, body.run.status]).toEqual([
    403,
    'second_person_needed',
    'skipped',
    'success',
  ]);
  expect(body.detail).toMatch(/^Two persons decide here, /);
};

describe('where two persons are asked for', () => {
  it.each([
    ['a dry run', { dryRun: true }],
    ['a run that the guard refused', {}],
  ])(
    'whoever asked for %s may not approve its plan, whatever name they type; another may',
    async (_, body) => {
      const run = await refuse(askedBy('anna', body));
      expectRefusal(await approve('anna', run));
      expect(await listed()).toHaveLength(60);
      const approved = await approve('bjorn', run);
      expect([approved.status, approved.body.run.outcome]).toEqual([200, 'published']);
      expect(await listed()).toHaveLength(30);
    },
  );

  it('whoever was refused has planned nothing by it, and whoever made the plan again is not its first', async () => {
    const run = await refuse(askedBy('anna', { dryRun: true }));
    expectRefusal(await approve('anna', run));
    expect(await askedBy('bjorn', { dryRun: true })()).toMatchObject({ planId: run.planId });
    expectRefusal(await approve('anna', run));
    expect((await approve('bjorn', run)).status).toBe(200);
  });

  it('the plan of a scheduled run waits until somebody has asked for it, and then for another', async () => {
    const run = await refuse(async () => (await ops.run({ trigger: 'schedule' })).record);
    expect(run.outcome).toBe('blocked');
    const alone = await approve('anna', run);
    expectRefusal(alone);
    expect(alone.body.detail).toContain('One person makes a dry run, signed in; another approves its plan.');
    await askedBy('anna', { dryRun: true })();
    expectRefusal(await approve('anna', run));
    expect((await approve('bjorn', run)).status).toBe(200);
  });

  it('whoever approves without a proved identity is refused', async () => {
    const run = await refuse(askedBy('anna'));
    const { record } = await ops.run({ trigger: 'local', approve: approvalOf(run) });
    expect(record).toMatchObject({ outcome: 'skipped', errorCode: 'second_person_needed' });
    expect(await listed()).toHaveLength(60);
  });

  it('a pause is passed by another’s approval only', async () => {
    const run = await refuse(askedBy('anna'));
    await post('anna', '/mirrors/roster/pause', { reason: 'A look first' });
    expectRefusal(await approve('anna', run));
    expect((await approve('bjorn', run)).status).toBe(200);
  });

  it('the approval of a rollback is no exception', async () => {
    const refused = await refuse(askedBy('anna'));
    const first = (await ops.call('GET', '/roster/versions')).body.versions[0].generation;
    expect((await approve('bjorn', refused)).status).toBe(200);
    ops.registry.createMember();
    const rollback = { generation: first, reason: 'It was wrong' };
    const { body } = await post('anna', '/roster/rollback', { ...rollback, dryRun: true });
    const allowed = { ...rollback, approve: approvalOf(body.run) };
    expectRefusal(await post('anna', '/roster/rollback', allowed));
    expect(await listed()).toHaveLength(30);
    expect((await post('bjorn', '/roster/rollback', allowed)).status).toBe(200);
    expect(await listed()).toHaveLength(60);
  });

  it('the portal asks for them too', async () => {
    const stack = await startReconcileStack();
    try {
      const given = { run: { needsSecondPerson: true } };
      await stack.run({ trigger: 'http' }, given);
      for (let id = 1; id <= 30; id += 1) stack.registry.deleteMember(id);
      const { record } = await stack.run({ trigger: 'http', requestedBy: 'anna' }, given);
      expect(record.outcome).toBe('blocked');
      const decide = (requestedBy: string) =>
        stack.run({ trigger: 'http', requestedBy, approve: approvalOf(record) }, given);
      expect((await decide('anna')).record.errorCode).toBe('second_person_needed');
      expect((await decide('bjorn')).record.outcome).toBe('published');
    } finally {
      await stack.close();
    }
  });
});

it('unless it is asked for, one person may plan and approve', async () => {
  await ops.close();
  await start(false);
  const run = await refuse(askedBy('anna'));
  expect((await approve('anna', run)).status).toBe(200);
});
