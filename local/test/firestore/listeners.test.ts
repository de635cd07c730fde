import type { DocumentData, DocumentReference, Firestore, Query } from 'firebase-admin/firestore';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { useConformance } from './harness.ts';

const conformance = useConformance();
const running: (() => void)[] = [];
let db: Firestore;
let other: Firestore;
beforeAll(() => {
  db = conformance.client();
  other = conformance.client();
});
afterEach(() => {
  for (const stop of running.splice(0)) stop();
});

/** Hands out the snapshots of a listener one by one, waiting for those to come. */
function snapshots<T>(listen: (next: (value: T) => void, fail: (error: Error) => void) => () => void) {
  const seen: T[] = [];
  let wake = Promise.withResolvers<void>();
  running.push(
    listen(
      (value) => {
        seen.push(value);
        wake.resolve();
        wake = Promise.withResolvers();
      },
      (error) => wake.reject(error),
    ),
  );
  return {
    async until(isReached: (value: T) => boolean): Promise<T> {
      for (;;) {
        const found = seen.find(isReached);
        if (found !== undefined) return found;
        await wake.promise;
      }
    },
  };
}

const watchDoc = (ref: DocumentReference) =>
  snapshots<DocumentData | 'missing'>((next, fail) =>
    ref.onSnapshot((doc) => next(doc.data() ?? 'missing'), fail),
  );
const watchIds = (query: Query) =>
  snapshots<string>((next, fail) =>
    query.onSnapshot((found) => next(found.docs.map((doc) => doc.id).join(' ')), fail),
  );

test('a document listener sees missing, created, changed and deleted, written by another client', async () => {
  const watch = watchDoc(db.doc('watch/one'));
  await watch.until((value) => value === 'missing');
  await other.doc('watch/one').set({ n: 1 });
  await watch.until((value) => value !== 'missing' && value['n'] === 1);
  await other.doc('watch/one').update({ n: 2 });
  await watch.until((value) => value !== 'missing' && value['n'] === 2);
  await other.doc('watch/one').delete();
  await other.doc('watch/one').set({ n: 3 });
  await watch.until((value) => value !== 'missing' && value['n'] === 3);
});

test('a document listener begins with the data although another document was just written', async () => {
  await db.doc('watch/begin').set({ n: 1 });
  const writes = Array.from({ length: 20 }, (_, n) => other.doc(`watch/noise${n}`).set({ n }));
  const watch = watchDoc(db.doc('watch/begin'));
  expect(await watch.until(() => true)).toEqual({ n: 1 });
  await Promise.all(writes);
});

test('a query listener follows documents into the query, through its order and out of it', async () => {
  const watch = watchIds(db.collection('room').where('n', '>', 1).orderBy('n').limit(2));
  await watch.until((ids) => ids === '');
  const room = other.collection('room');
  await Promise.all([
    room.doc('a').set({ n: 2 }),
    room.doc('b').set({ n: 3 }),
    room.doc('none').set({ m: 1 }),
  ]);
  await watch.until((ids) => ids === 'a b');
  await room.doc('c').set({ n: 2.5 });
  await watch.until((ids) => ids === 'a c');
  await room.doc('a').update({ n: 0 });
  await watch.until((ids) => ids === 'c b');
  await room.doc('b').delete();
  await watch.until((ids) => ids === 'c');
});

test('a listener leaves out documents that lack the field of its order', async () => {
  await other.batch().set(other.doc('order/a'), { n: 1 }).set(other.doc('order/b'), { m: 1 }).commit();
  const watch = watchIds(db.collection('order').orderBy('n'));
  expect(await watch.until(() => true)).toBe('a');
});

test('a snapshot names what was added, modified and removed', async () => {
  const changes = snapshots<string>((next, fail) =>
    db.collection('diff').onSnapshot(
      (found) =>
        next(
          found
            .docChanges()
            .map(({ type, doc }) => `${type} ${doc.id}`)
            .join(', '),
        ),
      fail,
    ),
  );
  await changes.until((text) => text === '');
  await other.batch().set(other.doc('diff/a'), { n: 1 }).set(other.doc('diff/b'), { n: 1 }).commit();
  await changes.until((text) => text === 'added a, added b');
  await other.batch().delete(other.doc('diff/a')).update(other.doc('diff/b'), { n: 2 }).commit();
  await changes.until((text) => text === 'removed a, modified b');
});

test('a listener on a collection group sees every depth', async () => {
  const watch = watchIds(db.collectionGroup('leaf'));
  await watch.until((ids) => ids === '');
  await other.batch().set(other.doc('t/1/leaf/x'), {}).set(other.doc('t/1/u/2/leaf/y'), {}).commit();
  await watch.until((ids) => ids === 'x y');
});
