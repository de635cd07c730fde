import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';

let ops: OpsStack;
beforeAll(async () => {
  ops = await startOpsStack();
});
afterAll(() => ops.close());

const someone = () => ops.registry.member(ops.registry.randomMember()).ssn.replace('-', '');

describe('one member on demand', () => {
  it('is shown with what differs, and that look is recorded before', async () => {
    const kennitala = someone();
    const look = () => ops.call('POST', '/members/sync', { kennitala, dryRun: true });
    // The first call of the registry may be too slow for the stack's short limits on a busy machine.
    await expect.poll(async () => (await look()).status, { timeout: 15_000 }).toBe(200);
    const looked = await look();
    expect(looked).toMatchObject({ status: 200, body: { found: true, decision: 'would-apply' } });
    expect((await ops.db.doc(`members/${kennitala}`).get()).exists).toBe(false);
    const { member } = looked.body;
    expect((await ops.actions()).at(-1)).toMatchObject({ action: 'sync_member', member, by: 'operator' });
  });

  it('is brought in line with the registry', async () => {
    const kennitala = someone();
    const synced = await ops.call('POST', '/api/members/sync', { kennitala });
    expect(synced).toMatchObject({ status: 200, body: { decision: 'applied' } });
    expect((await ops.db.doc(`members/${kennitala}`).get()).get('membership.status')).toBe('active');
    expect((await ops.call('POST', '/members/sync', { kennitala })).body).toMatchObject({
      decision: 'unchanged',
      differences: [],
    });
    expect(JSON.stringify(ops.logs)).not.toContain(kennitala);
  });

  it.each([{}, { kennitala: '123' }, { kennitala: '0000000000', force: true }])(
    '%j is refused, unquoted',
    async (body) => {
      const refused = await ops.call('POST', '/members/sync', body);
      expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(refused.body.detail).not.toMatch(/123|0000000000|force/);
    },
  );
});

describe('a sweep of the way back on demand', () => {
  it.each([{}, { deliver: 'waiting' }, { deliver: 'failed' }])(
    'runs with %j, and leaves its record',
    async (body) => {
      const { status, body: answer } = await ops.call('POST', '/two-way/runs', body);
      expect(status).toBe(200);
      expect(answer.run).toMatchObject({ status: 'success', requestedBy: 'operator' });
      expect((await ops.db.doc(`sync_logs/${answer.run.id}`).get()).get('status')).toBe('success');
    },
  );

  it('refuses what is no way of delivering', async () => {
    expect((await ops.call('POST', '/two-way/runs', { deliver: 'all' })).status).toBe(400);
  });
});
