import { Timestamp } from 'firebase-admin/firestore';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ageBand } from '../../src/ops/runs.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 60 });
});
afterEach(async () => {
  await ops.close();
});

const get = async (path: string): Promise<Body> => (await ops.call('GET', path)).body;
const post = async (path: string, body: object): Promise<Body> => (await ops.call('POST', path, body)).body;
const listed = async () => (await ops.file())?.trim().split('\n') ?? [];
const approval = (planId: string, removed?: number) => ({
  planId,
  operator: 'Jóna',
  reason: 'They left together',
  ...(removed !== undefined && { removed }),
});
const deleteMembers = (count: number) => {
  for (let n = 0; n < count; n += 1) ops.registry.deleteMember(ops.registry.randomMember());
};
/** A list of sixty, and then a run that the guard refuses since thirty are gone. */
const refuse = async () => {
  await post('/runs', { mirror: 'roster' });
  const before = await listed();
  deleteMembers(30);
  const { run } = await post('/runs', { mirror: 'roster' });
  expect(run).toMatchObject({ outcome: 'blocked', changes: { removed: 30 } });
  return { run, before };
};

describe('a refused run', () => {
  it('shows who would be removed, first without names and then with them, and each look is recorded', async () => {
    const { run, before } = await refuse();
    const someone = before[0] ?? '';
    await Promise.all(
      before.map((kennitala) =>
        ops.db.doc(`members/${kennitala}`).set({
          profile: { name: 'Jóna', addresses: [{ postal_code: '107', is_default: true }] },
          membership: { date_joined: Timestamp.fromDate(new Date('2019-05-01')) },
        }),
      ),
    );
    const groups = await get(`/runs/${run.runId}/groups`);
    expect(groups).toMatchObject({ truncated: false, added: { count: 0, ages: [] } });
    expect(groups.removed).toMatchObject({
      count: 30,
      areas: [{ key: '10x', count: 30 }],
      joined: [{ key: '2019', count: 30 }],
    });
    expect(JSON.stringify(groups)).not.toContain(someone);
    const { people, nextPage } = await get(`/runs/${run.runId}/people`);
    expect(nextPage).toBeNull();
    expect(people).toHaveLength(30);
    for (const person of people) {
      expect(before).toContain(person.kennitala);
      expect(person).toMatchObject({ what: 'removed', name: 'Jóna', postalCode: '107' });
    }
    const looks = await ops.db.collection('operator_actions').where('action', '==', 'view_changes').get();
    expect(looks.docs.map((look) => look.get('runId'))).toEqual([run.runId, run.runId]);
    expect((await ops.call('GET', `/runs/${run.runId}/people?page=1`)).status).toBe(404);
  });

  it('is explained to the person it names as a refusal, and a plan that was only looked at is not', async () => {
    const { run, before } = await refuse();
    await post('/runs', { mirror: 'roster', dryRun: true });
    const { people } = await get(`/runs/${run.runId}/people`);
    const { timeline } = await post('/explain', { kennitala: people[0].kennitala });
    expect(before).toContain(people[0].kennitala);
    const about = timeline.filter(({ source, mirror }: Body) => source === 'run' && mirror === 'roster');
    expect(about.map(({ what, isPersonal }: Body) => [what, isPersonal])).toEqual([
      ['added', true],
      ['blocked', true],
    ]);
  });

  it.each([
    ['another number', 29],
    ['no number', undefined],
  ])('is not approved with %s of removed members', async (_what, removed) => {
    const { run, before } = await refuse();
    const { status, body } = await ops.call('POST', '/runs', {
      mirror: 'roster',
      approve: approval(run.planId, removed),
    });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.detail).toContain('approve.removed');
    expect(await listed()).toEqual(before);
  });

  it('says who approved it and by which run, and that run what it approved and who took it back', async () => {
    const { run } = await refuse();
    const first = (await get('/roster/versions')).versions[0].generation;
    const { run: approved } = await post('/runs', { mirror: 'roster', approve: approval(run.planId, 30) });
    expect(approved.outcome).toBe('published');
    expect((await get(`/runs/${run.runId}`)).related).toMatchObject([
      {
        runId: approved.runId,
        relation: 'approved',
        by: 'operator',
        typedName: 'Jóna',
        reason: 'They left together',
      },
    ]);
    const plan = await post('/roster/rollback', { generation: first, dryRun: true });
    const rolled = await post('/roster/rollback', {
      generation: first,
      reason: 'It was wrong',
      ...(plan.run.guard.tripped && { approve: approval(plan.run.planId, plan.run.changes.removed) }),
    });
    expect(rolled.run.outcome).toBe('published');
    expect((await get(`/runs/${approved.runId}`)).related).toMatchObject([
      { runId: run.runId, relation: 'refused' },
      { runId: rolled.run.runId, relation: 'rolled_back' },
    ]);
  });

  it('is out of date once another list has been published', async () => {
    const { run } = await refuse();
    deleteMembers(1);
    const { run: next } = await post('/runs', { mirror: 'roster' });
    const { run: done } = await post('/runs', { mirror: 'roster', approve: approval(next.planId, 31) });
    expect((await get(`/runs/${run.runId}`)).related).toMatchObject([
      { runId: done.runId, relation: 'superseded' },
    ]);
  });
});

describe('an approval that comes too late', () => {
  it('is a 409 that says nothing of the mirror: the status goes on with the run before', async () => {
    const { run } = await refuse();
    deleteMembers(1);
    const late = await ops.call('POST', '/runs', { mirror: 'roster', approve: approval(run.planId, 30) });
    expect([late.status, late.body.code, late.body.run.outcome]).toEqual([409, 'plan_changed', 'skipped']);
    const [roster] = (await get('/status')).mirrors;
    expect(roster).toMatchObject({ why: ['last_run_blocked'], lastRun: { runId: run.runId }, running: null });
    expect(ops.logs.filter(({ fields }) => fields['event'] === 'run_failed')).toEqual([]);
  });

  it('of a plan that no run has made starts none', async () => {
    const { body } = await ops.call('POST', '/runs', { mirror: 'roster', approve: approval('a'.repeat(64)) });
    expect(body.code).toBe('plan_changed');
    expect((await get('/runs')).runs).toEqual([]);
  });
});

it('credits a version to the run that published it, not to one that found it unchanged', async () => {
  const { run } = await post('/runs', { mirror: 'roster' });
  const { run: again } = await post('/runs', { mirror: 'roster' });
  expect(again.outcome).toBe('unchanged');
  expect((await get('/roster/versions')).versions).toMatchObject([{ runId: run.runId }]);
});

it('finds the runs of some days', async () => {
  const { run } = await post('/runs', { mirror: 'roster' });
  const at = Date.parse(run.timestamp);
  const found = async (from: number, until: number) => {
    const range = `from=${new Date(from).toISOString()}&until=${new Date(until).toISOString()}`;
    return (await get(`/runs?mirror=roster&${range}`)).runs.length;
  };
  expect(await found(at, at + 1)).toBe(1);
  expect(await found(at - 10, at)).toBe(0);
  expect(await found(at + 1, at + 10)).toBe(0);
});

it('lists the pauses of one mirror, newest first', async () => {
  await post('/mirrors/roster/pause', { reason: 'Look' });
  await post('/mirrors/portal/pause', { reason: 'Another' });
  ops.clock.advance(1_000);
  await post('/mirrors/roster/resume', { reason: 'Seen' });
  expect((await get('/mirrors/roster/pauses')).pauses).toMatchObject([
    { action: 'resume', by: 'operator', reason: 'Seen' },
    { action: 'pause', by: 'operator', reason: 'Look' },
  ]);
});

it.each([
  ['0101302989', '67+'],
  ['2711080759', '67+'],
  ['2711080720', '18-34'],
  ['2811080720', '0-17'],
  ['1307911069', '35-49'],
  ['8123456789', 'unknown'],
  ['0013302989', 'unknown'],
])('the age of %s is %s', (kennitala, band) => {
  expect(ageBand(kennitala, new Date('2026-11-27T08:00:00Z'))).toBe(band);
});
