import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeOutbox, removeExpired } from '../../src/adapters/postgres/register-store.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { deliverNotifications, sendWebhook } from '../../src/register/notify.ts';
import { makeRegisterLogs } from '../../src/register/register-logs.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';
import { makePages } from './support/make-pages.ts';

const SECRET = `whsec_${Buffer.from('secret of the tests, 24b').toString('base64')}`;
const OLD_SECRET = `whsec_${Buffer.from('former secret of tests24').toString('base64')}`;

/** A subscriber over real HTTP: keeps what it gets and answers as it is told. */
const startReceiver = async () => {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const state = { status: 204, received, url: '', close: async () => undefined as unknown };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const location = state.status === 302 ? { location: `${state.url}/moved` } : {};
    response.writeHead(state.status, location).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  state.close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return state;
};

let receiver: Awaited<ReturnType<typeof startReceiver>>;
let stack: RegisterStack;
beforeEach(async () => {
  receiver = await startReceiver();
  stack = await startRegisterStack({ members: 30, subscribers: [{ name: 'elections', url: receiver.url }] });
});
afterEach(async () => {
  await receiver.close();
  await stack.close();
});

const deliver = (secrets: () => Promise<readonly string[]> = async () => [SECRET]) =>
  deliverNotifications({
    outbox: makeOutbox(stack.database),
    subscribers: stack.registerOptions.subscribers,
    secretsOf: secrets,
    send: sendWebhook,
    now: stack.dependencies.now,
    random: () => 0,
    logs: makeRegisterLogs(stack.dependencies.log),
  });

const outbox = () =>
  stack.postgres.sql<{
    attempts: number;
    last_error: string | null;
    delivered_at: Date | null;
    failed_at: Date | null;
  }>('select attempts, last_error, delivered_at, failed_at from public.notification_outbox order by id');

describe('a run that changed something', () => {
  it('is told to the subscriber, signed, with counts, references and a link', async () => {
    const { record } = await stack.run();
    expect(await deliver()).toEqual({ delivered: 1, failed: 0 });
    const [message] = receiver.received;
    const body = new Webhook(SECRET).verify(message?.body ?? '', message?.headers as Record<string, string>);
    expect(body).toEqual({
      type: 'membership.changed',
      timestamp: record.timestamp.toISOString(),
      run: record.runId,
      added: 30,
      removed: 0,
      updated: 0,
      members: expect.arrayContaining([expect.stringMatching(/^m_[0-9a-f]{16}$/)]),
      complete: true,
      details: `https://api.example.is/sync/runs/${record.runId}/changes`,
    });
    for (const { kennitala } of await stack.members()) expect(message?.body).not.toContain(kennitala);
  });

  it('is told once, however often what is due is delivered', async () => {
    await stack.run();
    await Promise.all([deliver(), deliver()]);
    await deliver();
    expect(receiver.received).toHaveLength(1);
  });

  it('is signed with every secret in force, so that a rotation loses nothing', async () => {
    await stack.run();
    await deliver(async () => [SECRET, OLD_SECRET]);
    const { headers, body } = receiver.received[0] ?? { headers: {}, body: '' };
    for (const secret of [SECRET, OLD_SECRET]) {
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toBeTruthy();
    }
  });

  it('names a thousand members at most, and says so', async () => {
    const pages = makePages(makeKennitalas(1_200).map((kennitala, id) => ({ id, kennitala, name: 'Test' })));
    await stack.run({ trigger: 'http' }, { pages });
    await deliver();
    const body = JSON.parse(receiver.received[0]?.body ?? '{}');
    expect([body.added, body.members.length, body.complete]).toEqual([1_200, 1_000, false]);
  });
});

describe('a run that changed nothing, failed, or was asked what it would do', () => {
  it('tells nobody', async () => {
    await stack.run({ trigger: 'http', dryRun: true });
    stack.registry.addFault({ status: 403, times: 1 });
    await stack.run();
    expect(await outbox()).toEqual([]);
    await stack.run();
    await stack.run();
    expect(await outbox()).toHaveLength(1);
  });
});

describe('a subscriber that fails', () => {
  it.each([
    [500, 'status 500'],
    [302, 'status 302'],
    [404, 'status 404'],
  ])('with %i is tried again later, and the sync is not held up', async (status, error) => {
    receiver.status = status;
    expect((await stack.run()).record.outcome).toBe('published');
    expect(await deliver()).toEqual({ delivered: 0, failed: 1 });
    expect(await deliver()).toEqual({ delivered: 0, failed: 0 });
    expect(await outbox()).toMatchObject([{ attempts: 1, last_error: error, delivered_at: null }]);
    receiver.status = 204;
    stack.advance(61_000);
    expect(await deliver()).toEqual({ delivered: 1, failed: 0 });
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(Array(2).fill('run-001'));
  });

  it('for days is given up, and an operator is told', async () => {
    receiver.status = 503;
    await stack.run();
    for (let n = 0; n < 12; n += 1) {
      await deliver();
      stack.advance(24 * 3_600_000);
    }
    const [row] = await outbox();
    expect(row).toMatchObject({ attempts: 9, delivered_at: null, failed_at: expect.any(Date) });
    expect(stack.logs.filter(({ fields }) => fields['event'] === 'notification_failed')).toHaveLength(1);
  });

  it('with 410 wants no more of it', async () => {
    receiver.status = 410;
    await stack.run();
    await deliver();
    expect(await outbox()).toMatchObject([{ attempts: 1, last_error: 'gone', failed_at: expect.any(Date) }]);
  });

  it('that is not there, or whose secret cannot be read or used', async () => {
    await receiver.close();
    await stack.run();
    await deliver();
    expect((await outbox())[0]?.last_error).toBe('no connection');
    stack.advance(61_000);
    await deliver(async () => {
      throw new SyncError('secret_unavailable', 'No such secret.');
    });
    expect((await outbox())[0]?.last_error).toBe('secret_unavailable');
    stack.advance(301_000);
    await deliver(async () => ['not base64 at all!']);
    expect((await outbox())[0]?.last_error).toBe('unusable secret');
    receiver = await startReceiver();
  });

  it('whose deliverer died is served by the next one', async () => {
    await stack.run();
    const claim = { at: stack.dependencies.now(), limit: 20, claimMs: 120_000 };
    expect(await makeOutbox(stack.database).claimDue(claim)).toHaveLength(1);
    expect(await deliver()).toEqual({ delivered: 0, failed: 0 });
    stack.advance(121_000);
    expect(await deliver()).toEqual({ delivered: 1, failed: 0 });
  });
});

describe('what is past its time', () => {
  it('is deleted, but never the newest success', async () => {
    await stack.run();
    await deliver();
    stack.advance(400 * 86_400_000);
    await removeExpired(stack.database, stack.dependencies.now());
    expect(await outbox()).toEqual([]);
    expect(await stack.syncLog()).toHaveLength(1);
    expect(await stack.postgres.sql('select * from public.member_changes')).toEqual([]);
    await stack.run();
    await removeExpired(stack.database, stack.dependencies.now());
    expect((await stack.syncLog()).map(({ id }) => id)).toEqual([2]);
  });
});
