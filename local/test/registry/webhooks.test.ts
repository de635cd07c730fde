import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { Deliveries } from '../../src/registry/deliveries.ts';
import type { LocalRegistry, RegistryOptions } from '../../src/registry/start-registry.ts';
import { call, OTHER_SECRET, type Received, type Receiver, SECRET, start, startReceiver } from './support.ts';

const connect = async (
  receiver: Receiver,
  webhook: Partial<NonNullable<RegistryOptions['webhook']>> = {},
): Promise<{ registry: LocalRegistry; webhooks: Deliveries }> => {
  const registry = await start({
    webhook: { url: receiver.url, secrets: [SECRET], retryDelaysMs: [5, 5, 5, 5], ...webhook },
  });
  if (!registry.webhooks) throw new Error('The registry has no webhook.');
  return { registry, webhooks: registry.webhooks };
};
const verify = ({ raw, headers }: Received, secret: string): unknown =>
  new Webhook(secret).verify(raw, headers as Record<string, string>);
const versions = ({ received }: Receiver): number[] => received.map(({ event }) => event.version);

describe('webhooks', () => {
  test('each change is told once, signed, with the member as the change left it', async () => {
    const receiver = await startReceiver();
    const { registry, webhooks } = await connect(receiver);
    registry.createMember({ name: 'Nýliði Prófsson' });
    registry.updateMember(2, { name: 'Fyrra Nafn' });
    registry.updateMember(2, { name: 'Seinna Nafn' });
    registry.deleteMember(3);
    await webhooks.drain();

    const events = receiver.received.map((received) => verify(received, SECRET)).sort(byVersion);
    const { ssn } = registry.member(2);
    expect(events).toMatchObject([
      { action: 'create', version: 1, data: { id: 51, name: 'Nýliði Prófsson', version: 1 } },
      { kennitala: ssn, action: 'update', version: 2, data: { ssn, name: 'Fyrra Nafn', version: 2 } },
      { kennitala: ssn, action: 'update', version: 3, data: { ssn, name: 'Seinna Nafn', version: 3 } },
      { kennitala: registry.member(3).ssn, action: 'delete', version: 4, occurred_at: expect.any(String) },
    ]);
    expect(events[3]).not.toHaveProperty('data');
    expect(webhooks.stats()).toMatchObject({
      sent: 4,
      delivered: 4,
      failed: 0,
      pending: 0,
      dropped: 0,
      retried: 0,
    });
  });

  test('every secret signs, so that a receiver with either takes the event', async () => {
    const receiver = await startReceiver();
    const { registry, webhooks } = await connect(receiver, { secrets: [SECRET, OTHER_SECRET] });
    registry.updateMember(1);
    await webhooks.drain();
    const [received] = receiver.received as [Received];
    for (const secret of [SECRET, OTHER_SECRET])
      expect(verify(received, secret)).toMatchObject({ version: 1 });
    const stranger = `whsec_${Buffer.from('not a secret of anybody!').toString('base64')}`;
    expect(() => verify(received, stranger)).toThrow('No matching signature');
  });

  test('a refused event is sent again with the same id and body until it is taken', async () => {
    const receiver = await startReceiver((n) => ({ status: n < 3 ? 503 : 200 }));
    const { registry, webhooks } = await connect(receiver);
    registry.updateMember(1);
    await webhooks.drain();
    expect(receiver.received).toHaveLength(4);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set(['msg_1']),
    );
    expect(new Set(receiver.received.map(({ raw }) => raw)).size).toBe(1);
    expect(webhooks.stats()).toMatchObject({ sent: 4, delivered: 1, retried: 3 });
  });

  test('an event is given up after its last attempt, and the member’s next one is sent', async () => {
    const receiver = await startReceiver((_, { event }) => ({ status: event.version === 1 ? 400 : 200 }));
    const { registry, webhooks } = await connect(receiver, { retryDelaysMs: [5] });
    registry.updateMember(1);
    registry.updateMember(1);
    await webhooks.drain();
    expect(versions(receiver)).toEqual([1, 1, 2]);
    expect(webhooks.stats()).toMatchObject({ failed: 1, delivered: 1, pending: 0 });
  });

  test('Retry-After is waited for when it is longer than the pause', async () => {
    const receiver = await startReceiver((n) =>
      n === 0 ? { status: 503, headers: { 'retry-after': '1' } } : { status: 200 },
    );
    const { registry, webhooks } = await connect(receiver);
    registry.updateMember(1);
    await webhooks.drain();
    const [first, second] = receiver.received as [Received, Received];
    expect(second.at - first.at).toBeGreaterThanOrEqual(990);
  });

  test('a member’s events keep their order while one of them is refused, and other members do not wait', async () => {
    const receiver = await startReceiver((_, { event }) => ({
      status: event.version === 1 && !versions(receiver).includes(3) ? 503 : 200,
    }));
    const { registry, webhooks } = await connect(receiver, { retryDelaysMs: Array(100).fill(5) });
    registry.updateMember(1);
    registry.updateMember(1);
    registry.updateMember(2);
    await webhooks.drain();
    const seen = versions(receiver);
    expect(seen.indexOf(2)).toBeGreaterThan(seen.lastIndexOf(1));
    expect(seen.indexOf(3)).toBeLessThan(seen.indexOf(2));
  });

  test('no more requests are open at once than allowed', async () => {
    const full = Promise.withResolvers<void>();
    const receiver: Receiver = await startReceiver(async () => {
      if (receiver.peak() >= 16) full.resolve();
      await full.promise;
      return { status: 200 };
    });
    const { registry, webhooks } = await connect(receiver);
    for (let id = 1; id <= 40; id += 1) registry.updateMember(id);
    await webhooks.drain();
    expect(receiver.received).toHaveLength(40);
    expect(receiver.peak()).toBe(16);
  });

  test('a redirect is not followed and counts as refused', async () => {
    const receiver = await startReceiver((n) =>
      n === 0 ? { status: 302, headers: { location: 'http://127.0.0.1:1/' } } : { status: 200 },
    );
    const { registry, webhooks } = await connect(receiver);
    registry.updateMember(1);
    await webhooks.drain();
    expect(webhooks.stats()).toMatchObject({ sent: 2, delivered: 1 });
  });

  test('a change by the apply call is announced too, with its version', async () => {
    const receiver = await startReceiver();
    const { registry, webhooks } = await connect(receiver);
    const change = {
      kennitala: registry.member(1).ssn,
      action: 'update',
      changes: { 'profile.email': 'a@b.example' },
    };
    await call(registry, '/api/sync/apply/', { method: 'POST', body: { changes: [change] } });
    await webhooks.drain();
    expect(receiver.received[0]?.event).toMatchObject({
      version: 1,
      data: { contact_info: { email: 'a@b.example' } },
    });
  });
});

describe('webhooks that misbehave', () => {
  test('drop, duplicate and reorder take their share, the same for the same seed', async () => {
    const run = async () => {
      const receiver = await startReceiver();
      const { registry, webhooks } = await connect(receiver);
      webhooks.misbehave({ drop: 0.2, duplicate: 0.2, reorder: 0.2, reorder_delay_ms: 30 });
      await registry.burst({ count: 200 });
      await webhooks.drain();
      return { stats: webhooks.stats(), seen: versions(receiver) };
    };
    const { stats, seen } = await run();
    for (const count of [stats.dropped, stats.duplicated, stats.reordered]) {
      expect(count).toBeGreaterThan(15);
      expect(count).toBeLessThan(70);
    }
    expect(new Set(seen).size).toBe(200 - stats.dropped);
    expect(seen.length).toBe(200 - stats.dropped + stats.duplicated);
    const again = await run();
    expect([...again.seen].sort()).toEqual([...seen].sort());
  });

  test('a held event is overtaken by a later one of the same member', async () => {
    const receiver = await startReceiver();
    const { registry, webhooks } = await connect(receiver);
    webhooks.misbehave({ reorder: 1, reorder_delay_ms: 50 });
    registry.updateMember(1);
    webhooks.misbehave({ reorder: 0 });
    registry.updateMember(1);
    await webhooks.drain();
    expect(versions(receiver)).toEqual([2, 1]);
  });

  test('paused deliveries wait, and resumed ones arrive in order', async () => {
    const receiver = await startReceiver();
    const { registry, webhooks } = await connect(receiver);
    webhooks.pause();
    registry.updateMember(1);
    registry.updateMember(1);
    expect(webhooks.stats()).toMatchObject({ pending: 2, sent: 0 });
    webhooks.resume();
    await webhooks.drain();
    expect(versions(receiver)).toEqual([1, 2]);
  });

  test.each([[['whsec_']], [['whsec_not base64!']], [[]]])(
    'a registry whose secrets are %j does not start, and does not quote them',
    async (secrets) => {
      const starting = start({ webhook: { url: 'http://127.0.0.1:9/', secrets } });
      await expect(starting).rejects.toThrow(/^A webhook needs secrets, each of them base64/);
    },
  );
});

const byVersion = (one: unknown, other: unknown): number =>
  (one as { version: number }).version - (other as { version: number }).version;
