import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { runRoster } from './support/leave-traces.ts';

let ops: OpsStack;
beforeAll(async () => {
  ops = await startOpsStack({ members: 30 });
  await runRoster(ops);
  ops.registry.deleteMember(ops.registry.randomMember());
  await runRoster(ops);
});
afterAll(() => ops.close());

const concerns = () => ops.logs.filter(({ fields }) => fields['event'] === 'ops_concern');
const record = async () => (await ops.db.collection('sync_audit').get()).docs[0];

describe('a walk over the record', () => {
  it('says that it is whole, with what anybody needs to check the signatures, and the status remembers it', async () => {
    expect((await ops.call('GET', '/status')).body.verified).toBeNull();
    const { status, body } = await ops.call('POST', '/verify');
    expect(status).toBe(200);
    expect(body).toMatchObject({ whole: true, code: null, findings: [], versions: { checked: 2 } });
    expect(body.publicKeys[0].pem).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    expect(body.streams.find(({ stream }: { stream: string }) => stream === 'roster').head.key).toBe(
      body.publicKeys[0].id,
    );
    expect((await ops.call('GET', '/status')).body.verified).toEqual({
      at: body.at,
      whole: true,
      findings: 0,
      records: body.records,
      versions: 2,
    });
    expect(concerns()).toEqual([]);
  });

  it('that finds a record altered is an alert and a finding of the status, until a walk finds it whole again', async () => {
    const found = await record();
    const memberCount: unknown = found?.get('memberCount');
    await found?.ref.update({ memberCount: 7 });
    const { body } = await ops.call('POST', '/verify');
    expect(body).toMatchObject({ whole: false, code: 'chain_broken', findingsInAll: 1 });
    expect(body.findings).toMatchObject([{ kind: 'altered', where: found?.ref.path }]);
    expect(concerns()).toMatchObject([{ severity: 'ERROR', fields: { code: 'chain_broken', count: 1 } }]);
    const broken = (await ops.call('GET', '/status')).body;
    expect(broken.healthy).toBe(false);
    expect(broken.findings).toMatchObject([
      { code: 'chain_broken', severity: 'error', mirror: null, numbers: { count: 1 }, command: 'verify' },
    ]);
    await found?.ref.update({ memberCount });
    await ops.call('POST', '/verify');
    const { findings } = (await ops.call('GET', '/status')).body;
    expect(findings.filter(({ code }: { code: string }) => code === 'chain_broken')).toEqual([]);
  });

  it('that could not read everything says nothing of the record, and leaves what was known', async () => {
    const before = (await ops.call('GET', '/status')).body.verified;
    const fault = ops.storage.failNext({ stage: 'before', answer: 403, times: 100, matches: () => true });
    const { status, body } = await ops.call('POST', '/verify');
    fault.disarm();
    expect([status, body.code]).toEqual([503, 'storage_rejected']);
    expect((await ops.call('GET', '/status')).body.verified).toEqual(before);
  });

  it('is for administrators alone', async () => {
    expect((await ops.send('POST', '/verify', undefined, null)).status).toBe(401);
    expect((await ops.send('POST', '/verify', undefined, ops.tokenOf({ roles: ['member'] }))).status).toBe(
      403,
    );
  });
});
