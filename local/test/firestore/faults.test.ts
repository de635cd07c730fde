import type { Firestore } from 'firebase-admin/firestore';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../src/firestore/server.ts';
import { codeOf, makeClients, useServer } from './harness.ts';

const PERMISSION_DENIED = 7;
const ALREADY_EXISTS = 6;
const UNAVAILABLE = 14;

const clients = makeClients('demo-faults');
let server: LocalFirestore;
let db: Firestore;
beforeAll(async () => {
  server = await startFirestore({ projectId: 'demo-faults' });
  useServer(server);
  db = clients.open();
});
beforeEach(() => server.clear());
afterAll(async () => {
  await clients.close();
  await server.close();
});

test('a fault before a write leaves nothing, and the next write goes through', async () => {
  server.failNext({ method: 'commit', code: PERMISSION_DENIED });
  expect(await codeOf(db.doc('f/1').set({ n: 1 }))).toBe(PERMISSION_DENIED);
  expect((await db.doc('f/1').get()).exists).toBe(false);
  expect(await codeOf(db.doc('f/1').set({ n: 2 }))).toBe(0);
});

test('a fault after a write leaves what was written, although the client is told of a failure', async () => {
  server.failNext({ method: 'commit', code: PERMISSION_DENIED, when: 'after' });
  expect(await codeOf(db.doc('f/2').set({ n: 1 }))).toBe(PERMISSION_DENIED);
  expect((await db.doc('f/2').get()).data()).toEqual({ n: 1 });
});

test('a lost answer makes the client library ask again, and its create meet its own document', async () => {
  server.failNext({ method: 'commit', code: UNAVAILABLE, when: 'after' });
  expect(await codeOf(db.doc('f/3').create({ n: 1 }))).toBe(ALREADY_EXISTS);
  expect((await db.doc('f/3').get()).data()).toEqual({ n: 1 });
});

test('a fault may be for certain requests, for several calls, and be taken back', async () => {
  const isForB = (request: unknown) => JSON.stringify(request).includes('f/b');
  const takeBack = server.failNext({ code: PERMISSION_DENIED, times: 3, matches: isForB });
  expect(await codeOf(db.doc('f/a').set({}))).toBe(0);
  expect(await codeOf(db.doc('f/b').set({}))).toBe(PERMISSION_DENIED);
  expect(await codeOf(db.doc('f/b').get())).toBe(PERMISSION_DENIED);
  takeBack();
  expect(await codeOf(db.doc('f/b').set({}))).toBe(0);
});

test('a query fails with the code asked for', async () => {
  server.failNext({ method: 'runQuery', code: PERMISSION_DENIED });
  expect(await codeOf(db.collection('f').get())).toBe(PERMISSION_DENIED);
  expect(await codeOf(db.collection('f').get())).toBe(0);
});

test('a delay is waited for by every call', async () => {
  server.setDelay(60);
  const start = performance.now();
  await db.doc('f/slow').get();
  expect(performance.now() - start).toBeGreaterThanOrEqual(55);
});
