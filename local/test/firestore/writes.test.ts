import { v1 } from '@google-cloud/firestore';
import { credentials } from '@grpc/grpc-js';
import { FieldPath, FieldValue, type Firestore, Timestamp } from 'firebase-admin/firestore';
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

  // BatchWrite promises "not atomic, and no order": each write for itself. The official emulator refuses a request that
  // holds a document over 1 MiB before it looks at its writes, so nothing can be said of what stands beside it.
  test('a document that is too large is refused', async () => {
    const writer = db.bulkWriter();
    writer.onWriteError(() => false);
    const outcomes = ['x', 'x'.repeat(1_100_000), 'y'].map((text, n) =>
      codeOf(writer.set(db.doc(`bulk/size${n}`), { text })),
    );
    await writer.close();
    const [before, tooLarge, after] = await Promise.all(outcomes);
    expect(tooLarge).toBe(INVALID_ARGUMENT);
    expect([0, INVALID_ARGUMENT]).toContain(before);
    expect(after).toBe(before);
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

  test.each([
    ['texts', ['b', 'a', 'b'], ['b', 'a']],
    ['a text twice among other values', ['a', 1, 'a', 1, true], ['a', 1, true]],
    ['two thousand texts', Array.from({ length: 2_000 }, (_, n) => `${n % 1_000}`), undefined],
  ])('set adds each entry once to an array that is not there: %s', async (_what, entries, expected) => {
    await db.doc('tf/union').set(old);
    await db
      .doc('tf/union')
      .set({ list: FieldValue.arrayUnion(...entries), in: { list: FieldValue.arrayUnion(...entries) } });
    const list = expected ?? [...new Set(entries)];
    expect(await data('tf/union')).toEqual({ list, in: { list } });
  });

  test('a change of an array is answered with null, a number with what it has become', async () => {
    const [servicePath = '', port] = process.env['FIRESTORE_EMULATOR_HOST']?.split(':') ?? [];
    const client = new v1.FirestoreClient({
      servicePath,
      port: Number(port),
      sslCreds: credentials.createInsecure(),
    });
    const database = `projects/${conformance.projectId}/databases/(default)`;
    const texts = { values: [{ stringValue: 'a' }] };
    const write = {
      update: { name: `${database}/documents/tf/answer`, fields: {} },
      updateTransforms: [
        { fieldPath: 'list', appendMissingElements: texts },
        { fieldPath: 'n', increment: { integerValue: 2 } },
        { fieldPath: 'other', removeAllFromArray: texts },
      ],
    };
    const [{ writeResults }] = await client.commit({ database, writes: [write] });
    await client.close();
    expect(writeResults?.[0]?.transformResults).toMatchObject([
      { nullValue: 'NULL_VALUE' },
      { integerValue: '2' },
      { nullValue: 'NULL_VALUE' },
    ]);
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

  test('all serverTimestamps of a write are one time, at or shortly before the commit', async () => {
    const { writeTime } = await db
      .doc('tf/time')
      .set({ at: FieldValue.serverTimestamp(), in: { at: FieldValue.serverTimestamp() } });
    const stored = await data('tf/time');
    // The reference promises "the time at which the server processed the request, with millisecond precision": one time
    // for all of a request, not that of the commit, which the official emulator gives later.
    expect(stored?.['in'].at).toEqual(stored?.['at']);
    expect(writeTime.toMillis() - stored?.['at'].toMillis()).toBeGreaterThanOrEqual(0);
    expect(writeTime.toMillis() - stored?.['at'].toMillis()).toBeLessThan(5_000);
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

  test.each(['.a.', '..b', 'a__b__', '__a', 'a b', 'ð', '____', '__id7__'])(
    'the id %j is allowed',
    async (id) => {
      await db.collection('ids').doc(id).set({ id });
      expect((await db.collection('ids').doc(id).get()).data()).toEqual({ id });
    },
  );

  test.each(['.', '..', '__a__', '_____', 'x'.repeat(1501)])('the id %j is refused', async (id) => {
    expect(await codeOf(db.collection('ids').doc(id).set({ id }))).toBe(INVALID_ARGUMENT);
  });

  test('a document over 1 MiB is refused, and one just below is not', async () => {
    expect(await codeOf(db.doc('doc/large').set({ text: 'x'.repeat(1_048_576) }))).toBe(INVALID_ARGUMENT);
    expect(await codeOf(db.doc('doc/large').set({ text: 'x'.repeat(1_048_000) }))).toBe(0);
  });

  // The official emulator takes no request of this size; Cloud Firestore promises 10 MiB.
  test.skipIf(process.env['CONFORMANCE_FIRESTORE_HOST'])('a commit of 10 MiB goes through', async () => {
    const batch = db.batch();
    for (let n = 0; n < 10; n += 1) batch.set(db.doc(`ten/${n}`), { text: 'x'.repeat(1_040_000) });
    expect(await batch.commit()).toHaveLength(10);
  });
});

describe('a write below what is no map', () => {
  const values: [string, unknown][] = [
    ['an array', [1]],
    ['a time', Timestamp.fromMillis(0)],
    ['a number', 1],
    ['a text', 'x'],
    ['null', null],
    ['bytes', Buffer.from('x')],
  ];

  test.each(values)('replaces %s', async (_, value) => {
    const ref = db.doc('below/one');
    await ref.set({ e: value, other: 1 });
    await ref.update({ 'e.f': 7 });
    expect((await ref.get()).data()).toEqual({ e: { f: 7 }, other: 1 });

    await ref.set({ e: value });
    await ref.update({ 'e.f.g': FieldValue.increment(7), 'e.h': FieldValue.arrayUnion(1) });
    expect((await ref.get()).data()).toEqual({ e: { f: { g: 7 }, h: [1] } });

    await ref.set({ e: value });
    await ref.set({ e: { f: 7, n: FieldValue.increment(1) } }, { merge: true });
    expect((await ref.get()).data()).toEqual({ e: { f: 7, n: 1 } });

    const batch = db.batch();
    batch.set(ref, { e: { f: 1 } });
    batch.update(ref, { e: value });
    batch.update(ref, new FieldPath('e', 'a.b'), 7);
    await batch.commit();
    expect((await ref.get()).data()).toEqual({ e: { 'a.b': 7 } });
  });

  test.each(values)('that deletes leaves %s', async (_, value) => {
    const ref = db.doc('below/two');
    await ref.set({ e: value });
    await ref.update({ 'e.f': FieldValue.delete() });
    expect((await ref.get()).get('e')).toEqual(value);
  });
});

describe('what cannot be stored', () => {
  const doc = () => db.doc('hard/one');

  test.each<[string, () => Promise<unknown>]>([
    ['a reserved field', () => doc().set({ __a__: 1 })],
    ['a reserved field in a map', () => doc().set({ m: { __name__: 1 } })],
    ['a reserved field in an update', () => doc().update({ __a__: 1 })],
    ['a reserved field in a map of an array', () => doc().set({ m: [{ __a__: 1 }] })],
    ['a field of 1,501 bytes', () => doc().set({ ['x'.repeat(1501)]: 1 })],
    ['a path of 1,502 bytes', () => doc().set({ m: { ['x'.repeat(1500)]: 1 } })],
    ['an array in an array', () => doc().set({ a: [[1]] })],
    ['a filter on a reserved field', () => db.collection('hard').where('__a__', '==', 1).get()],
  ])('%s is refused', async (_, write) => {
    await doc().set({});
    expect(await codeOf(write())).toBe(INVALID_ARGUMENT);
    expect((await doc().get()).data()).toEqual({});
  });

  test.each<[string, () => Promise<unknown>]>([
    ['a text', () => doc().set({ a: 'a\ud800b' })],
    ['the name of a field', () => doc().set({ ['a\udc00']: 1 })],
  ])('half a character in %s is refused', async (_, write) => {
    await doc().set({});
    // UNKNOWN from the official emulator.
    expect([2, INVALID_ARGUMENT]).toContain(await codeOf(write()));
    expect((await doc().get()).data()).toEqual({});
  });

  test.each([
    { ____: 1, __x: 1, x__: 1 },
    { ['x'.repeat(1500)]: 1 },
    { nul: 'a\u0000b', replacement: '\ufffd\ufffd\ufffd', pair: '😀' },
    { first: new Date('0001-01-01T00:00:00Z'), last: new Date('9999-12-31T23:59:59Z') },
  ])('%# is stored', async (fields) => {
    await doc().set(fields);
    expect(Object.keys((await doc().get()).data() ?? {})).toHaveLength(Object.keys(fields).length);
  });
});
