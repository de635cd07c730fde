import type { Firestore } from 'firebase-admin/firestore';
import { beforeAll, expect, test } from 'vitest';
import { useConformance } from './harness.ts';

const conformance = useConformance();
let db: Firestore;
beforeAll(async () => {
  db = conformance.client();
  const batch = db.batch();
  for (const id of ['c', 'a', 'b']) batch.set(db.doc(`list/${id}`), { id, big: 'x' });
  batch
    .set(db.doc('list/missing/sub/1'), { n: 1 })
    .set(db.doc('list/a/one/1'), {})
    .set(db.doc('list/a/two/1'), {});
  await batch.commit();
});

test('a missing document is no error and has a read time', async () => {
  const snapshot = await db.doc('list/nobody').get();
  expect(snapshot.exists).toBe(false);
  expect(snapshot.data()).toBeUndefined();
  expect(snapshot.readTime.toMillis()).toBeGreaterThan(0);
});

test('getAll answers in the order asked for, with what is missing and what is asked for twice', async () => {
  const found = await db.getAll(...['b', 'nobody', 'a', 'b'].map((id) => db.doc(`list/${id}`)));
  expect(found.map((doc) => [doc.id, doc.exists])).toEqual([
    ['b', true],
    ['nobody', false],
    ['a', true],
    ['b', true],
  ]);
});

test('getAll with a field mask brings only those fields', async () => {
  const [doc] = await db.getAll(db.doc('list/a'), { fieldMask: ['id', 'none'] });
  expect(doc?.data()).toEqual({ id: 'a' });
});

test('listDocuments includes ids that only have subcollections', async () => {
  const refs = await db.collection('list').listDocuments();
  expect(refs.map((ref) => ref.id)).toEqual(['a', 'b', 'c', 'missing']);
  const missing = await db.doc('list/missing').get();
  expect(missing.exists).toBe(false);
});

test('listCollections names what is below the root and below a document', async () => {
  expect((await db.listCollections()).map(({ id }) => id)).toEqual(['list']);
  expect((await db.doc('list/a').listCollections()).map(({ id }) => id)).toEqual(['one', 'two']);
  expect(await db.doc('list/b').listCollections()).toEqual([]);
});

test('recursiveDelete takes a document with all that is below it, and nothing beside it', async () => {
  await db
    .batch()
    .set(db.doc('tree/x'), {})
    .set(db.doc('tree/x/sub/1'), {})
    .set(db.doc('tree/xy/sub/1'), {})
    .commit();
  await db.recursiveDelete(db.doc('tree/x'));
  const left = await db.collection('tree').listDocuments();
  expect(left.map(({ path }) => path)).toEqual(['tree/xy']);
});

test('a collection of two thousand documents comes whole', async () => {
  const writer = db.bulkWriter({ throttling: false });
  for (let n = 0; n < 2000; n += 1) void writer.set(db.doc(`many/${n}`), { n });
  await writer.close();
  const found = await db.collection('many').orderBy('n').get();
  expect(found.docs.map((doc) => doc.get('n'))).toEqual(Array.from({ length: 2000 }, (_, n) => n));
  expect(await db.collection('many').listDocuments()).toHaveLength(2000);
});
