import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FieldValue } from 'firebase-admin/firestore';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startFirestore } from '../../src/firestore/server.ts';
import { codeOf, makeClients, useServer } from './harness.ts';

const PROJECT = 'demo-persistence';
let folder: string;
const cleanups: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firestore-'));
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});
afterAll(() => rm(folder, { recursive: true, maxRetries: 5 }));

async function start(dataFile: string) {
  const server = await startFirestore({ projectId: PROJECT, dataFile });
  useServer(server);
  const clients = makeClients(PROJECT);
  const stop = async () => {
    await clients.close();
    await server.close();
  };
  cleanups.push(stop);
  return {
    server,
    clients,
    db: clients.open(),
    stop: () => stop().finally(() => cleanups.splice(cleanups.indexOf(stop), 1)),
  };
}

test('documents and their subcollections are there after a restart', async () => {
  const file = join(folder, 'deep', 'whole.jsonl');
  const first = await start(file);
  await first.db
    .doc('a/1')
    .set({ n: 1, at: FieldValue.serverTimestamp(), bytes: Buffer.from([0, 255]), nan: Number.NaN });
  await first.db.doc('a/1').update({ n: 2 });
  await first.db.doc('a/2/sub/x').set({ deep: [{ a: null }] });
  await first.db.doc('a/3').set({});
  await first.db.doc('a/3').delete();
  const before = await first.db.doc('a/1').get();
  await first.stop();

  const second = await start(file);
  const after = await second.db.doc('a/1').get();
  expect(after.data()).toEqual(before.data());
  expect((await second.db.doc('a/2/sub/x').get()).data()).toEqual({ deep: [{ a: null }] });
  expect((await second.db.collection('a').listDocuments()).map(({ id }) => id)).toEqual(['1', '2']);
});

test('what was answered survives a server that is killed without being closed', async () => {
  const file = join(folder, 'killed.jsonl');
  const first = await start(file);
  await first.db.batch().set(first.db.doc('k/1'), { n: 1 }).set(first.db.doc('k/2'), { n: 1 }).commit();
  const left = join(folder, 'killed-copy.jsonl');
  await writeFile(left, await readFile(file));

  const second = await start(left);
  expect((await second.db.collection('k').count().get()).data().count).toBe(2);
});

test('a torn last line loses that commit, whole, and nothing before it', async () => {
  const file = join(folder, 'torn.jsonl');
  const first = await start(file);
  await first.db.doc('t/1').set({ n: 1 });
  await first.db.batch().set(first.db.doc('t/1'), { n: 2 }).set(first.db.doc('t/2'), { n: 2 }).commit();
  await first.stop();
  await truncate(file, (await readFile(file)).length - 20);

  const second = await start(file);
  expect((await second.db.collection('t').get()).docs.map((doc) => [doc.id, doc.data()])).toEqual([
    ['1', { n: 1 }],
  ]);
  await second.db.doc('t/3').set({ n: 3 });
  await second.stop();

  const third = await start(file);
  expect((await third.db.collection('t').get()).docs.map(({ id }) => id)).toEqual(['1', '3']);
});

test('a file that is damaged in the middle is refused and left as it is', async () => {
  const file = join(folder, 'damaged.jsonl');
  const first = await start(file);
  await first.db.doc('d/1').set({ n: 1 });
  await first.stop();
  await appendFile(file, 'not json\n{"documents":{}}\n');
  const damaged = await readFile(file, 'utf8');
  await expect(startFirestore({ projectId: PROJECT, dataFile: file })).rejects.toThrow(/damaged at line 3/);
  expect(await readFile(file, 'utf8')).toBe(damaged);
});

test('a restart keeps one line for each document that exists', async () => {
  const file = join(folder, 'compact.jsonl');
  const first = await start(file);
  for (let n = 0; n < 20; n += 1) await first.db.doc('c/1').set({ n });
  await first.db.doc('c/2').set({});
  await first.db.doc('c/2').delete();
  await first.stop();
  const second = await start(file);
  await second.stop();
  expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(2);
});

test('clear empties the file as well', async () => {
  const file = join(folder, 'clear.jsonl');
  const first = await start(file);
  await first.db.doc('c/1').set({ n: 1 });
  await first.server.clear();
  expect((await first.db.doc('c/1').get()).exists).toBe(false);
  await first.stop();
  const second = await start(file);
  expect((await second.db.listCollections()).length).toBe(0);
});

test('another project is refused, and its data are not kept', async () => {
  const file = join(folder, 'projects.jsonl');
  const first = await start(file);
  const elsewhere = makeClients('demo-elsewhere');
  expect(await codeOf(elsewhere.open().doc('p/1').set({ from: 'elsewhere' }))).toBe(5);
  await elsewhere.close();
  await first.stop();
  expect(await readFile(file, 'utf8')).not.toContain('demo-elsewhere');
});
