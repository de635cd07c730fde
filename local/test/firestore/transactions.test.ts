import { setTimeout as sleep } from 'node:timers/promises';
import { FieldValue, type Firestore } from 'firebase-admin/firestore';
import { beforeAll, expect, test } from 'vitest';
import { codeOf, useConformance } from './harness.ts';

const ABORTED = 10;

const conformance = useConformance();
let db: Firestore;
let other: Firestore;
beforeAll(() => {
  db = conformance.client();
  other = conformance.client();
});

// Under contention Cloud Firestore delays or fails operations, and may refuse a transaction in the end with ABORTED
// (https://firebase.google.com/docs/firestore/transaction-data-contention): how many it refuses is no promise, but that
// each one that succeeded is counted, and none that did not.
test('of ten clients that count up at once no success is lost, and the others are refused with ABORTED', async () => {
  await db.doc('count/one').set({ n: 0 });
  const countUp = (client: Firestore): Promise<number> =>
    codeOf(
      client.runTransaction(async (tx) => {
        const ref = client.doc('count/one');
        const snapshot = await tx.get(ref);
        tx.update(ref, { n: snapshot.get('n') + 1 });
      }),
    );
  const codes = await Promise.all(Array.from({ length: 10 }, () => countUp(conformance.client())));
  const succeeded = codes.filter((code) => code === 0).length;
  expect(codes.filter((code) => code !== 0 && code !== ABORTED)).toEqual([]);
  expect(succeeded).toBeGreaterThan(0);
  expect((await db.doc('count/one').get()).get('n')).toBe(succeeded);
});

test('transactions that read the same pair in opposite orders both end, one after the other', async () => {
  await db.batch().set(db.doc('pair/a'), { n: 0 }).set(db.doc('pair/b'), { n: 0 }).commit();
  const move = (client: Firestore, from: string, to: string) =>
    client.runTransaction(async (tx) => {
      const first = await tx.get(client.doc(from));
      const second = await tx.get(client.doc(to));
      tx.update(client.doc(from), { n: first.get('n') - 1 });
      tx.update(client.doc(to), { n: second.get('n') + 2 });
    });
  await Promise.all([move(db, 'pair/a', 'pair/b'), move(other, 'pair/b', 'pair/a')]);
  const [one, two] = await db.getAll(db.doc('pair/a'), db.doc('pair/b'));
  expect([one?.get('n'), two?.get('n')]).toEqual([1, 1]);
});

test('a write from outside comes before or after a transaction, never in between', async () => {
  const ref = db.doc('retry/one');
  await ref.set({ n: 1 });
  let outside: Promise<unknown> | undefined;
  await db.runTransaction(async (tx) => {
    const { n } = (await tx.get(ref)).data() as { n: number };
    outside ??= other.doc('retry/one').update({ n: 10 });
    // A server that locks what was read holds the outsider back; one that does not makes this transaction retry.
    await Promise.race([outside, sleep(200)]);
    tx.update(ref, { n: n + 1 });
  });
  await outside;
  expect([10, 11]).toContain((await ref.get()).get('n'));
});

test('of two transactions that create the same document after reading it missing, one sees the other', async () => {
  const claim = (client: Firestore, owner: string) =>
    client.runTransaction(async (tx) => {
      const ref = client.doc('lease/one');
      if ((await tx.get(ref)).exists) return false;
      tx.create(ref, { owner });
      return true;
    });
  const won = await Promise.all([claim(db, 'a'), claim(other, 'b')]);
  expect(won.sort()).toEqual([false, true]);
});

test('of two transactions that find a query empty and add to it, one finds the document of the other', async () => {
  const claim = (client: Firestore) =>
    client.runTransaction(async (tx) => {
      const open = await tx.get(client.collection('slots').where('open', '==', true));
      if (!open.empty) return false;
      tx.create(client.collection('slots').doc(), { open: true });
      return true;
    });
  const won = await Promise.all([claim(db), claim(other)]);
  expect(won.sort()).toEqual([false, true]);
  expect((await db.collection('slots').get()).size).toBe(1);
});

test('a document that begins to match a query after it was read makes the transaction look again', async () => {
  let isOutsideFirst = false;
  let outside: Promise<unknown> | undefined;
  const claimed = await db.runTransaction(async (tx) => {
    const open = await tx.get(db.collection('phantom').where('open', '==', true));
    if (!open.empty) return false;
    outside ??= other.doc('phantom/outside').create({ open: true });
    isOutsideFirst = await Promise.race([outside.then(() => true), sleep(200, false)]);
    tx.create(db.doc('phantom/inside'), { open: true });
    return true;
  });
  await outside;
  expect(claimed).toBe(!isOutsideFirst);
});

test('a read-only transaction sees one moment, whatever others write meanwhile', async () => {
  await db.batch().set(db.doc('moment/a'), { n: 1 }).set(db.doc('moment/b'), { n: 1 }).commit();
  const seen = await db.runTransaction(
    async (tx) => {
      const first = await tx.get(db.doc('moment/a'));
      await other
        .batch()
        .update(other.doc('moment/a'), { n: 2 })
        .update(other.doc('moment/b'), { n: 2 })
        .commit();
      await other.doc('moment/c').set({ n: 2 });
      const second = await tx.get(db.doc('moment/b'));
      const all = await tx.get(db.collection('moment'));
      return [first.get('n'), second.get('n'), ...all.docs.map((doc) => doc.get('n'))];
    },
    { readOnly: true },
  );
  expect(seen).toEqual([1, 1, 1, 1]);
});

test('a read-only transaction at a read time sees what was there then', async () => {
  const ref = db.doc('past/one');
  await ref.set({ n: 1 });
  const { readTime } = await ref.get();
  await ref.set({ n: 2 });
  const then = await db.runTransaction((tx) => tx.get(ref), { readOnly: true, readTime });
  expect(then.get('n')).toBe(1);
});

test('a read-only transaction that writes is refused', async () => {
  const call = db.runTransaction(async (tx) => void tx.set(db.doc('moment/d'), {}), { readOnly: true });
  await expect(call).rejects.toThrow();
});

test('an error in the body leaves nothing behind', async () => {
  const call = db.runTransaction(async (tx) => {
    await tx.get(db.doc('broken/one'));
    tx.set(db.doc('broken/one'), { n: 1 });
    throw new Error('on purpose');
  });
  await expect(call).rejects.toThrow('on purpose');
  expect((await db.doc('broken/one').get()).exists).toBe(false);
});

test('a failed precondition ends a transaction without a retry', async () => {
  let runs = 0;
  const call = db.runTransaction(async (tx) => {
    runs += 1;
    tx.update(db.doc('broken/missing'), { n: 1 });
  });
  expect(await codeOf(call)).toBe(5);
  expect(runs).toBe(1);
});

test('getAll and a count in a transaction belong to its snapshot', async () => {
  await db.doc('agg/a').set({ n: 1 });
  const total = await db.runTransaction(async (tx) => {
    const [doc] = await tx.getAll(db.doc('agg/a'), db.doc('agg/none'));
    const count = await tx.get(db.collection('agg').count());
    tx.set(db.doc('total/agg'), { n: count.data().count + doc?.get('n') });
    return count.data().count;
  });
  expect(total).toBe(1);
  expect((await db.doc('total/agg').get()).get('n')).toBe(2);
});

test('writes without end from outside do not starve a transaction', async () => {
  const ref = db.doc('starve/one');
  await ref.set({ n: 0 });
  let isDone = false;
  const flood = async () => {
    while (!isDone) await other.doc('starve/one').update({ outside: FieldValue.increment(1) });
  };
  const flooding = flood();
  await db.runTransaction(async (tx) => {
    const snapshot = await tx.get(ref);
    await sleep(50);
    tx.update(ref, { n: snapshot.get('n') + 1 });
  });
  isDone = true;
  await flooding;
  expect((await ref.get()).get('n')).toBe(1);
});
