import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FieldValue, type Firestore } from 'firebase-admin/firestore';
import type { CloudEvent, CloudFunction } from 'firebase-functions';
import { onDocumentCreated, onDocumentDeleted, onDocumentWritten } from 'firebase-functions/firestore';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { HttpEvent } from '../../src/deliverer.ts';
import { toDocumentEvent } from '../../src/firestore/events.ts';
import { type DocumentChange, type LocalFirestore, startFirestore } from '../../src/firestore/server.ts';
import { codeOf, makeClients, useServer } from './harness.ts';

const PROJECT = 'demo-triggers';
const clients = makeClients(PROJECT);
const seen: DocumentChange[] = [];
let server: LocalFirestore;
let db: Firestore;
beforeAll(async () => {
  server = await startFirestore({ projectId: PROJECT });
  useServer(server);
  process.env['GCLOUD_PROJECT'] = PROJECT;
  db = clients.open();
  server.onDocumentWritten((change) => seen.push(change));
});
afterEach(async () => {
  await server.clear();
  seen.splice(0);
});
afterAll(async () => {
  await clients.close();
  await server.close();
});

/** Events leave the server in a turn after the commit; a round trip to it comes later still. */
async function settledChanges(): Promise<DocumentChange[]> {
  await db.doc('settle/now').get();
  return seen;
}

/** What a server that receives the event makes of it, as functions-framework does: attributes from headers, raw body. */
async function receive({ headers, body }: HttpEvent): Promise<CloudEvent<unknown>> {
  const receiver = createServer().listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const arrived = once(receiver, 'request');
  const { port } = receiver.address() as AddressInfo;
  const sent = fetch(`http://127.0.0.1:${port}/`, {
    method: 'POST',
    headers,
    body: new Uint8Array(Buffer.from(body)),
  });
  const [request, response] = await arrived;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  response.end();
  await sent;
  receiver.close();
  const attributes = Object.entries(request.headers as Record<string, string>)
    .filter(([name]) => name.startsWith('ce-'))
    .map(([name, value]) => [name.slice(3), value]);
  return {
    ...Object.fromEntries(attributes),
    datacontenttype: request.headers['content-type'],
    data: Buffer.concat(chunks),
  };
}

async function deliver<T extends CloudEvent<unknown>>(
  trigger: CloudFunction<T>,
  change: DocumentChange | undefined,
  kind: 'written' | 'created' | 'deleted' = 'written',
): Promise<void> {
  if (!change) throw new Error('There is no change to deliver.');
  const type = `google.cloud.firestore.document.v1.${kind}`;
  await trigger((await receive(toDocumentEvent(change, 'europe-west2', type))) as T);
}

test('a function of firebase-functions reads the data before and after an update from the event', async () => {
  const ref = db.doc('members/x1/notes/n1');
  await ref.set({ n: 1, at: FieldValue.serverTimestamp(), map: { a: 1, b: [true, null] } });
  await ref.update({ n: 2.5, 'map.a': 'þ' });
  const [, change] = await settledChanges();
  const received: unknown[] = [];
  const trigger = onDocumentWritten('members/{member}/notes/{note}', (event) => {
    const { before, after } = event.data ?? {};
    received.push(
      event.params,
      event.id,
      event.project,
      event.database,
      event.location,
      event.document,
      event.type,
    );
    received.push([before?.get('n'), before?.get('map'), after?.get('n'), after?.get('map')]);
    received.push([after?.ref.path, after?.get('at').isEqual(before?.get('at'))]);
  });
  await deliver(trigger, change);
  expect(received).toEqual([
    { member: 'x1', note: 'n1' },
    change?.id,
    PROJECT,
    '(default)',
    'europe-west2',
    'members/x1/notes/n1',
    'google.cloud.firestore.document.v1.written',
    [1, { a: 1, b: [true, null] }, 2.5, { a: 'þ', b: [true, null] }],
    ['members/x1/notes/n1', true],
  ]);
});

test('a creation has no data before and a deletion none after', async () => {
  await db.doc('members/x2').set({ n: 1 });
  await db.doc('members/x2').delete();
  const [created, deleted] = await settledChanges();
  const received: unknown[] = [];
  const written = onDocumentWritten('members/{id}', ({ data }) => {
    received.push([data?.before.exists, data?.after.exists, data?.before.data(), data?.after.data()]);
  });
  await deliver(written, created);
  await deliver(written, deleted);
  await deliver(
    onDocumentCreated('members/{id}', ({ data }) => void received.push(data?.data())),
    created,
    'created',
  );
  await deliver(
    onDocumentDeleted('members/{id}', ({ data }) => void received.push(data?.data())),
    deleted,
    'deleted',
  );
  expect(received).toEqual([
    [false, true, undefined, { n: 1 }],
    [true, false, { n: 1 }, undefined],
    { n: 1 },
    { n: 1 },
  ]);
});

test('every changed document of a batch makes one event, with an id of its own', async () => {
  const batch = db.batch();
  for (const id of ['a', 'b', 'c'])
    batch.set(db.doc(`many/${id}`), { n: 1 }).update(db.doc(`many/${id}`), { n: 2 });
  await batch.commit();
  const changes = await settledChanges();
  expect(changes.map(({ path }) => path)).toEqual(['many/a', 'many/b', 'many/c']);
  expect(new Set(changes.map(({ id }) => id)).size).toBe(3);
});

test('a write that changes nothing, a refused one and a delete of nothing make no event', async () => {
  await db.doc('quiet/a').set({ n: 1, bytes: Buffer.from('x') });
  await db.doc('quiet/a').set({ n: 1, bytes: Buffer.from('x') });
  await db.doc('quiet/a').update({ n: 1 });
  await db.doc('quiet/none').delete();
  expect(await codeOf(db.doc('quiet/a').create({ n: 2 }))).toBe(6);
  expect((await settledChanges()).map(({ path }) => path)).toEqual(['quiet/a']);
});

test('a listener that has ended hears nothing more', async () => {
  let heard = 0;
  const stop = server.onDocumentWritten(() => {
    heard += 1;
  });
  await db.doc('stop/a').set({ n: 1 });
  await settledChanges();
  stop();
  await db.doc('stop/a').set({ n: 2 });
  await settledChanges();
  expect(heard).toBe(1);
});

test('the update mask names the changed fields, and a document id that is no ASCII is encoded in the headers', async () => {
  await db.doc('mask/þór 1').set({ a: { b: 1, c: 1 }, 'x.y': 1, same: 1 });
  await db.doc('mask/þór 1').set({ a: { b: 2, c: 1 }, same: 1, new: 1 });
  const [, change] = await settledChanges();
  const type = 'google.cloud.firestore.document.v1.updated';
  const { headers, body } = toDocumentEvent(change as DocumentChange, 'nam5', type);
  expect(headers).toMatchObject({
    'ce-specversion': '1.0',
    'ce-type': type,
    'ce-source': `//firestore.googleapis.com/projects/${PROJECT}/databases/(default)`,
    'ce-subject': 'documents/mask/%C3%BE%C3%B3r%201',
    'content-type': 'application/protobuf',
  });
  const text = Buffer.from(body as Uint8Array).toString('latin1');
  expect(text).toContain('a.b');
  expect(text).toContain('`x.y`');
  expect(text).not.toContain('a.c');
});
