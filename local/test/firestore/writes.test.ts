import { FieldValue, type Firestore, Timestamp } from 'firebase-admin/firestore';
import { beforeAll, describe, expect, test } from 'vitest';
import { codeOf, useConformance } from './harness.ts';

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;

const conformance = useConformance();
let db: Firestore;
beforeAll(() => {
  db = conformance.client();
});
const data = async (path: string) => (await db.doc(path).get()).data();

describe('preconditions', () => {
  test('create refuses a document that exists', async () => {
    await db.doc('pre/create').create({ n: 1 });
    expect(await codeOf(db.doc('pre/create').create({ n: 2 }))).toBe(ALREADY_EXISTS);
    expect(await data('pre/create')).toEqual({ n: 1 });
  });

  test('update refuses a document that does not exist', async () => {
    expect(await codeOf(db.doc('pre/update').update({ n: 1 }))).toBe(NOT_FOUND);
    expect((await db.doc('pre/update').get()).exists).toBe(false);
  });

  test('lastUpdateTime lets exactly one of two writers through, however close they are', async () => {
    const ref = db.doc('pre/time');
    const { writeTime } = await ref.set({ n: 0 });
    const codes = await Promise.all(
      [1, 2].map((n) => codeOf(ref.update({ n }, { lastUpdateTime: writeTime }))),
    );
    expect(codes.sort()).toEqual([0, FAILED_PRECONDITION]);
    expect(await codeOf(ref.delete({ lastUpdateTime: writeTime }))).toBe(FAILED_PRECONDITION);
  });

  test('no two versions of a document have the same time', async () => {
    const writes = Array.from({ length: 30 }, (_, n) => db.doc('pre/versions').set({ n }));
    const times = (await Promise.all(writes)).map(({ writeTime }) => writeTime.valueOf());
    expect(new Set(times).size).toBe(30);
  });

  test('a delete with exists refuses a missing document, and without it does not', async () => {
    expect(await codeOf(db.doc('pre/gone').delete({ exists: true }))).toBe(NOT_FOUND);
    expect(await codeOf(db.doc('pre/gone').delete())).toBe(0);
  });
});

describe('batches', () => {
  test('a batch with one refused write changes nothing', async () => {
    const batch = db.batch().set(db.doc('batch/a'), { n: 1 }).update(db.doc('batch/missing'), { n: 1 });
    expect(await codeOf(batch.commit())).toBe(NOT_FOUND);
    expect((await db.doc('batch/a').get()).exists).toBe(false);
  });

  test('the writes of a batch build on each other, and every one has a result', async () => {
    const ref = db.doc('batch/order');
    const results = await db
      .batch()
      .create(ref, { n: 1 })
      .update(ref, { n: FieldValue.increment(5) })
      .set(db.doc('batch/other'), { list: FieldValue.arrayUnion('x') })
      .delete(db.doc('batch/none'))
      .commit();
    expect(results).toHaveLength(4);
    expect(await data('batch/order')).toEqual({ n: 6 });
    expect(await data('batch/other')).toEqual({ list: ['x'] });
  });

  test('BulkWriter reports each write for itself', async () => {
    await db.doc('bulk/7').set({ old: true });
    const writer = db.bulkWriter();
    writer.onWriteError(() => false);
    const outcomes = Array.from({ length: 60 }, (_, n) => codeOf(writer.create(db.doc(`bulk/${n}`), { n })));
    await writer.close();
    const codes = await Promise.all(outcomes);
    expect(codes.filter((code) => code === 0)).toHaveLength(59);
    expect(codes[7]).toBe(ALREADY_EXISTS);
    expect(await data('bulk/7')).toEqual({ old: true });
    expect(await data('bulk/59')).toEqual({ n: 59 });
  });

  test('a document that is too large fails alone', async () => {
    const writer = db.bulkWriter();
    writer.onWriteError(() => false);
    const outcomes = ['x', 'x'.repeat(1_100_000), 'y'].map((text, n) =>
      codeOf(writer.set(db.doc(`bulk/size${n}`), { text })),
    );
    await writer.close();
    expect(await Promise.all(outcomes)).toEqual([0, INVALID_ARGUMENT, 0]);
  });
});

describe('transforms', () => {
  const old = { n: 10, list: ['a', 'b'], other: true };
  const change = () => ({ n: FieldValue.increment(1), list: FieldValue.arrayUnion('b', 'c') });

  test('set applies them to nothing', async () => {
    await db.doc('tf/set').set(old);
    await db.doc('tf/set').set({ ...change(), kept: 1 });
    expect(await data('tf/set')).toEqual({ n: 1, list: ['b', 'c'], kept: 1 });
  });

  test('set finds nothing to remove from an array', async () => {
    await db.doc('tf/remove').set(old);
    await db.doc('tf/remove').set({ list: FieldValue.arrayRemove('a') });
    expect(await data('tf/remove')).toEqual({ list: [] });
  });

  test('set with merge applies them to the old values', async () => {
    await db.doc('tf/merge').set(old);
    await db.doc('tf/merge').set(change(), { merge: true });
    expect(await data('tf/merge')).toEqual({ n: 11, list: ['a', 'b', 'c'], other: true });
  });

  test('update applies them to the old values', async () => {
    await db.doc('tf/update').set(old);
    await db.doc('tf/update').update({
      n: FieldValue.increment(0.5),
      list: FieldValue.arrayRemove('a'),
      other: FieldValue.delete(),
    });
    expect(await data('tf/update')).toEqual({ n: 10.5, list: ['b'] });
  });

  test('serverTimestamp is the time of the commit', async () => {
    const { writeTime } = await db
      .doc('tf/time')
      .set({ at: FieldValue.serverTimestamp(), in: { at: FieldValue.serverTimestamp() } });
    const stored = await data('tf/time');
    expect(stored).toEqual({ at: writeTime, in: { at: writeTime } });
    expect(Math.abs(writeTime.toMillis() - Date.now())).toBeLessThan(5_000);
  });
});

describe('merging', () => {
  test('a merge reaches into maps and leaves their other fields', async () => {
    await db.doc('merge/deep').set({ a: { b: { c: 1, d: 2 }, e: [1] }, f: 1 });
    await db.doc('merge/deep').set({ a: { b: { c: 3 }, e: [] } }, { merge: true });
    expect(await data('merge/deep')).toEqual({ a: { b: { c: 3, d: 2 }, e: [] }, f: 1 });
  });

  test('mergeFields writes only what it names', async () => {
    await db.doc('merge/fields').set({ a: 1, b: { c: 1, d: 1 } });
    await db.doc('merge/fields').set({ a: 2, b: { c: 2, d: 2 } }, { mergeFields: ['b.c'] });
    expect(await data('merge/fields')).toEqual({ a: 1, b: { c: 2, d: 1 } });
  });

  test('a dotted update changes one leaf, an undotted one replaces the map', async () => {
    await db.doc('merge/update').set({ 'x.y': 0, a: { b: 1, c: 1 }, d: { e: 1, f: 1 } });
    await db.doc('merge/update').update({ 'a.b': 2, 'a.c': FieldValue.delete(), d: { e: 2 } });
    expect(await data('merge/update')).toEqual({ 'x.y': 0, a: { b: 2 }, d: { e: 2 } });
  });
});

describe('documents', () => {
  test('every kind of value comes back as it was', async () => {
    const value = {
      text: 'þæö €',
      whole: 9007199254740991,
      real: -0.1,
      nothing: null,
      yes: true,
      bytes: Buffer.from([0, 255]),
      at: new Timestamp(1_700_000_000, 123_456_000),
      ref: db.doc('a/b'),
      list: [1, { deep: [] }],
      map: { '': 1, 'a.b': { '`': 2 } },
    };
    await db.doc('doc/values').set({ ...value, map: { 'a.b': { '`': 2 } } });
    const stored = await data('doc/values');
    expect(stored).toEqual({ ...value, map: { 'a.b': { '`': 2 } }, ref: expect.anything() });
    expect(stored?.['ref'].path).toBe('a/b');
  });

  test('a write that changes nothing keeps the update time, and an update keeps the create time', async () => {
    const ref = db.doc('doc/times');
    const first = await ref.set({ n: 1 });
    const same = await ref.set({ n: 1 });
    expect(same.writeTime).toEqual(first.writeTime);
    const next = await ref.set({ n: 2 });
    const snapshot = await ref.get();
    expect(snapshot.createTime).toEqual(first.writeTime);
    expect(snapshot.updateTime).toEqual(next.writeTime);
    expect(next.writeTime > first.writeTime).toBe(true);
  });

  test.each(['.a.', '..b', 'a__b__', '__a', 'a b', 'ð'])('the id %j is allowed', async (id) => {
    await db.collection('ids').doc(id).set({ id });
    expect((await db.collection('ids').doc(id).get()).data()).toEqual({ id });
  });

  test.each(['.', '..', '__a__'])('the id %j is refused', async (id) => {
    expect(await codeOf(db.collection('ids').doc(id).set({ id }))).toBe(INVALID_ARGUMENT);
  });

  test('a document over 1 MiB is refused, and one just below is not', async () => {
    expect(await codeOf(db.doc('doc/large').set({ text: 'x'.repeat(1_048_576) }))).toBe(INVALID_ARGUMENT);
    expect(await codeOf(db.doc('doc/large').set({ text: 'x'.repeat(1_048_000) }))).toBe(0);
  });

  test('a commit of 10 MiB goes through', async () => {
    const batch = db.batch();
    for (let n = 0; n < 10; n += 1) batch.set(db.doc(`ten/${n}`), { text: 'x'.repeat(1_040_000) });
    expect(await batch.commit()).toHaveLength(10);
  });
});
