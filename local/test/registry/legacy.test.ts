import { expect, test } from 'vitest';
import { call, SECRET, start, startReceiver } from './support.ts';

const KEY = 'key-of-the-tests';
const legacy = (url: string) =>
  start({ companion: false, webhook: { url, secrets: [SECRET], legacyKey: KEY } });
const read = async (registry: Awaited<ReturnType<typeof start>>, ssn: string) =>
  call(registry, `/api/sync/member/${ssn}/`);

test('a hint is said once, with the key, and a delete has no data', async () => {
  const receiver = await startReceiver(() => ({ status: 503 }));
  const registry = await legacy(receiver.url);
  registry.updateMember(2, { name: 'Nýtt Nafn' });
  registry.deleteMember(3);
  await expect.poll(() => receiver.received.length).toBe(2);
  expect(receiver.received.map(({ headers }) => headers['authorization'])).toEqual([
    `Bearer ${KEY}`,
    `Bearer ${KEY}`,
  ]);
  const update = receiver.received.find(({ event }) => event.action === 'update')?.event;
  expect(update.data).toMatchObject({ id: 2, name: 'Nýtt Nafn' });
  expect(update.data).not.toHaveProperty('version');
  expect(update).not.toHaveProperty('version');
  const gone = receiver.received.find(({ event }) => event.action === 'delete')?.event;
  expect(Object.keys(gone).sort()).toEqual(['action', 'kennitala']);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(receiver.received).toHaveLength(2);
});

test('one member is answered only after the webhook was, and as before the change until the commit', async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<{ status: number }>();
  const receiver = await startReceiver(() => {
    asked.resolve();
    return answer.promise;
  });
  const registry = await legacy(receiver.url);
  const { ssn, name } = registry.member(5);
  registry.updateMember(5, { name: 'Nýtt Nafn' });
  await asked.promise;
  let answered = false;
  const early = read(registry, ssn).finally(() => {
    answered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(answered).toBe(false);
  answer.resolve({ status: 200 });
  expect((await early).json.name).toBe(name);
  await expect.poll(async () => (await read(registry, ssn)).json.name, { timeout: 60_000 }).toBe('Nýtt Nafn');
});

test('one member is flat, with e-mail and address of older tables', async () => {
  const receiver = await startReceiver();
  const registry = await legacy(receiver.url);
  const { ssn, contact_info } = registry.member(9);
  const { json } = await read(registry, ssn);
  for (const key of ['id', 'version', 'contact_info', 'unions']) expect(json).not.toHaveProperty(key);
  expect(json.email).not.toBe(contact_info.email);
  expect(json.phone).toBe(contact_info.phone);
  expect((await read(registry, '0101011119')).status).toBe(404);
});

test('apply ignores what it does not know and calls it success; the queue has ids of its own and bare times', async () => {
  const receiver = await startReceiver();
  const registry = await legacy(receiver.url);
  const { ssn, reachable } = registry.member(4);
  const changes = {
    'profile.email': 'nytt@postur.example',
    'profile.phone': '',
    'profile.reachable': !reachable,
  };
  const applied = await call(registry, '/api/sync/apply/', {
    method: 'POST',
    body: { changes: [{ kennitala: ssn, action: 'update', changes }] },
  });
  expect(applied.json.results).toEqual([
    { ssn: ssn.replace('-', ''), status: 'success', updated_fields: [] },
  ]);
  expect(registry.member(4)).toMatchObject({ reachable, contact_info: { email: 'nytt@postur.example' } });
  registry.updateMember(6);
  const queue = (await call(registry, '/api/sync/changes/')).json;
  expect(queue.changes).toHaveLength(1);
  expect(queue.changes[0].id).toBeGreaterThan(4_000_000);
  expect(queue.changes[0].created_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+$/);
  const sync_ids = [queue.changes[0].id];
  const marked = await call(registry, '/api/sync/mark-synced/', { method: 'POST', body: { sync_ids } });
  expect(marked.json).toEqual({ success: true, marked_synced: 1 });
});
