import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getFirestore } from 'firebase-admin/firestore';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../src/firestore/server.ts';
import { connectTriggers } from '../../src/functions/triggers.ts';
import { type FixtureHost, PROJECT, startFixture } from './fixture-host.ts';

let firestore: LocalFirestore;
let host: FixtureHost;

beforeAll(async () => {
  firestore = await startFirestore({ projectId: PROJECT });
  const address = `${firestore.host}:${firestore.port}`;
  vi.stubEnv('FIRESTORE_EMULATOR_HOST', address);
  host = await startFixture({ env: { FIRESTORE_EMULATOR_HOST: address } });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await host.functions.close();
  await firestore.close();
});

it('a write of firebase-admin reaches the functions with a trigger for it, before and after', async () => {
  const { functions } = host;
  const disconnect = connectTriggers({ firestore, functions, location: 'europe-west2' });
  const app = initializeApp({ projectId: PROJECT }, 'firestore-triggers');
  const item = getFirestore(app).doc('items/Ægir 1');

  await item.set({ name: 'first' });
  await host.logged((line) => line.message === 'item created');
  await item.update({ name: 'second' });
  const update = await host.logged((line) => line.message === 'item written' && line['before'] !== null);
  expect(update).toMatchObject({ itemId: 'Ægir 1', before: { name: 'first' }, after: { name: 'second' } });
  await item.delete();
  await host.logged((line) => line.message === 'item written' && line['after'] === null);

  await functions.drain();
  disconnect();
  await deleteApp(app);
  expect(functions.deliveries()).toEqual({ pending: 0, delivered: 4, retried: 0, dropped: 0 });
});
