import { AggregateField, FieldPath, Filter, type Firestore, type Query } from 'firebase-admin/firestore';
import { beforeAll, describe, expect, test } from 'vitest';
import { codeOf, useConformance } from './harness.ts';

const INVALID_ARGUMENT = 3;

/** What each document of the collection `q` holds; `none` lacks every field. */
const DOCUMENTS: Record<string, Record<string, unknown>> = {
  a: { n: 1, s: 'x', tags: ['red', 'blue'], map: { k: 1 } },
  b: { n: 2, s: 'y', tags: ['blue'], map: { k: 2 } },
  c: { n: 3, s: 'x', tags: ['green'], map: {} },
  d: { n: 3, s: null, tags: [] },
  e: { n: null, s: 'z' },
  f: { n: 'text', s: 'x' },
  g: { n: 2.5 },
  none: { other: true },
};

const conformance = useConformance();
let db: Firestore;
beforeAll(async () => {
  db = conformance.client();
  const batch = db.batch();
  for (const [id, value] of Object.entries(DOCUMENTS)) batch.set(db.collection('q').doc(id), value);
  batch.set(db.doc('q/a/sub/1'), { n: 1, kind: 'inner' }).set(db.doc('r/z/sub/2'), { n: 2, kind: 'inner' });
  batch.set(db.doc('r/z/sub/3'), { kind: 'inner' }).set(db.doc('r/y/deep/w/sub/4'), { n: 4, kind: 'inner' });
  await batch.commit();
});

/** The ids that a query of `q` finds, in order. */
async function ids(build: (query: Query) => Query): Promise<string> {
  return (await build(db.collection('q')).get()).docs.map((doc) => doc.id).join(' ');
}

describe('filters', () => {
  test.each<[string, (q: Query) => Query, string]>([
    ['==', (q) => q.where('n', '==', 3), 'c d'],
    ['== null', (q) => q.where('n', '==', null), 'e'],
    ['<', (q) => q.where('n', '<', 3), 'a b g'],
    ['<=', (q) => q.where('n', '<=', 3), 'a b g c d'],
    ['>', (q) => q.where('n', '>', 2), 'g c d'],
    ['>=', (q) => q.where('n', '>=', 2), 'b g c d'],
    ['> a text', (q) => q.where('s', '>', 'x'), 'b e'],
    ['<= a text', (q) => q.where('s', '<=', 'x'), 'a c f'],
    ['!= leaves out null and missing', (q) => q.where('n', '!=', 3), 'a b g f'],
    ['!= null', (q) => q.where('n', '!=', null), 'a b g c d f'],
    ['in', (q) => q.where('s', 'in', ['z', 'y']), 'b e'],
    ['in with mixed types', (q) => q.where('n', 'in', [1, 'text']), 'a f'],
    [
      'in with thirty values',
      (q) =>
        q.where(
          'n',
          'in',
          Array.from({ length: 30 }, (_, n) => n + 3),
        ),
      'c d',
    ],
    ['not-in leaves out null and missing', (q) => q.where('s', 'not-in', ['x', 'y']), 'e'],
    ['array-contains', (q) => q.where('tags', 'array-contains', 'blue'), 'a b'],
    ['array-contains-any', (q) => q.where('tags', 'array-contains-any', ['green', 'red']), 'a c'],
    ['a nested field', (q) => q.where('map.k', '>=', 1), 'a b'],
    ['two fields', (q) => q.where('s', '==', 'x').where('n', '>', 1), 'c'],
    ['two inequalities', (q) => q.where('n', '>', 1).where('s', '<', 'y'), 'c'],
    ['an inequality and another order', (q) => q.where('n', '>=', 1).orderBy('s').orderBy('n'), 'd a c b'],
    ['the document id', (q) => q.where(FieldPath.documentId(), 'in', ['b', 'none']), 'b none'],
    [
      'a range of ids',
      (q) => q.where(FieldPath.documentId(), '>=', 'e').where(FieldPath.documentId(), '<', 'h'),
      'e f g',
    ],
    ['or', (q) => q.where(Filter.or(Filter.where('n', '==', 1), Filter.where('s', '==', 'y'))), 'a b'],
    [
      'or with an inequality leaves out what lacks its field',
      (q) => q.where(Filter.or(Filter.where('n', '>', 2), Filter.where('other', '==', true))),
      'g c d',
    ],
    [
      'and inside or',
      (q) =>
        q.where(
          Filter.or(
            Filter.and(Filter.where('s', '==', 'x'), Filter.where('n', '==', 3)),
            Filter.where('tags', 'array-contains', 'red'),
          ),
        ),
      'a c',
    ],
  ])('%s', async (_title, build, expected) => {
    expect(await ids(build)).toBe(expected);
  });

  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

  test.each<[string, (q: Query) => Query]>([
    ['in of 31 values', (q) => q.where('n', 'in', numbers(31))],
    ['array-contains-any of 31 values', (q) => q.where('list', 'array-contains-any', numbers(31))],
    ['6 × 6 alternatives', (q) => q.where('n', 'in', numbers(6)).where('m', 'in', numbers(6))],
    ['31 alternatives', (q) => q.where(Filter.or(...numbers(31).map((n) => Filter.where('n', '==', n))))],
  ])('%s is more than 30 and refused', async (_, narrow) => {
    expect(await codeOf(narrow(db.collection('q')).get())).toBe(INVALID_ARGUMENT);
  });

  test.each<[string, (q: Query) => Query]>([
    ['in of 30 values', (q) => q.where('n', 'in', numbers(30))],
    ['6 × 5 alternatives', (q) => q.where('n', 'in', numbers(6)).where('m', 'in', numbers(5))],
  ])('%s is answered', async (_, narrow) => {
    expect(await codeOf(narrow(db.collection('q')).get())).toBe(0);
  });
});

describe('order and pages', () => {
  test.each<[string, (q: Query) => Query, string]>([
    ['no order is by id', (q) => q, 'a b c d e f g none'],
    ['an order leaves out documents without the field', (q) => q.orderBy('n'), 'e a b g c d f'],
    ['a descending order also turns the ids', (q) => q.orderBy('n', 'desc'), 'f d c g b a e'],
    ['two orders', (q) => q.orderBy('s').orderBy('n', 'desc'), 'd f c a b e'],
    [
      'an order by a field that another filter does not name',
      (q) => q.where('s', '==', 'x').orderBy('n'),
      'a c f',
    ],
    ['limit', (q) => q.orderBy('n').limit(2), 'e a'],
    ['limit counts only what is found', (q) => q.where('n', '!=', 3).limit(3), 'a b g'],
    ['offset', (q) => q.orderBy('n').offset(2).limit(2), 'b g'],
    ['limitToLast', (q) => q.orderBy('n').limitToLast(2), 'd f'],
    ['startAt', (q) => q.orderBy('n').startAt(3), 'c d f'],
    ['startAfter', (q) => q.orderBy('n').startAfter(3), 'f'],
    ['endAt', (q) => q.orderBy('n').startAt(1).endAt(2.5), 'a b g'],
    ['endBefore', (q) => q.orderBy('n').startAt(1).endBefore(2.5), 'a b'],
    ['a cursor on the id', (q) => q.orderBy(FieldPath.documentId()).startAfter('f'), 'g none'],
  ])('%s', async (_title, build, expected) => {
    expect(await ids(build)).toBe(expected);
  });

  test('a document as a cursor goes on between equals', async () => {
    const last = await db.doc('q/c').get();
    expect(await ids((q) => q.orderBy('n').startAfter(last))).toBe('d f');
    expect(await ids((q) => q.where('n', '>=', 2).startAt(last))).toBe('c d');
  });

  test('pages of two cover everything once', async () => {
    const seen: string[] = [];
    let query = db.collection('q').orderBy('n').limit(2);
    for (let page = await query.get(); !page.empty; page = await query.get()) {
      seen.push(...page.docs.map((doc) => doc.id));
      query = db.collection('q').orderBy('n').limit(2).startAfter(page.docs.at(-1));
    }
    expect(seen.join(' ')).toBe('e a b g c d f');
  });

  test('select answers only the fields that it names', async () => {
    const found = await db.collection('q').where('n', '==', 1).select('s', 'map.k').get();
    expect(found.docs[0]?.data()).toEqual({ s: 'x', map: { k: 1 } });
    const bare = await db.collection('q').where('n', '==', 1).select().get();
    expect(bare.docs[0]?.data()).toEqual({});
  });

  test('a query is streamed', async () => {
    const seen: string[] = [];
    for await (const doc of db.collection('q').orderBy('n').stream()) {
      seen.push((doc as unknown as { id: string }).id);
    }
    expect(seen.join(' ')).toBe('e a b g c d f');
  });
});

describe('collection groups', () => {
  const group = async (build: (q: Query) => Query) =>
    (await build(db.collectionGroup('sub')).get()).docs.map((doc) => doc.ref.path);

  test('a group finds the collections of that id at every depth', async () => {
    expect(await group((q) => q)).toEqual(['q/a/sub/1', 'r/y/deep/w/sub/4', 'r/z/sub/2', 'r/z/sub/3']);
  });

  test('a filter and an order of a group leave out documents without the field', async () => {
    expect(await group((q) => q.where('kind', '==', 'inner').orderBy('n', 'desc'))).toEqual([
      'r/y/deep/w/sub/4',
      'r/z/sub/2',
      'q/a/sub/1',
    ]);
  });

  test('a collection does not contain its subcollections', async () => {
    expect((await db.collection('r').get()).empty).toBe(true);
  });
});

describe('aggregations', () => {
  const q = () => db.collection('q');

  test.each<[string, () => Query, number]>([
    ['everything', q, 8],
    ['a filter', () => q().where('n', '>=', 2), 4],
    ['!=', () => q().where('n', '!=', 3), 4],
    ['an order', () => q().orderBy('s'), 6],
    ['a limit', () => q().limit(3), 3],
    ['nothing', () => q().where('n', '==', 99), 0],
  ])('count of %s', async (_title, query, expected) => {
    expect((await query().count().get()).data().count).toBe(expected);
  });

  test('sum and average take numbers only', async () => {
    const { sum, average } = (
      await q()
        .aggregate({ sum: AggregateField.sum('n'), average: AggregateField.average('n') })
        .get()
    ).data();
    expect(sum).toBe(11.5);
    expect(average).toBe(2.3);
  });

  test('the average of nothing is null, and its sum zero', async () => {
    const found = q().where('n', '==', 99);
    const result = await found
      .aggregate({ sum: AggregateField.sum('n'), avg: AggregateField.average('n') })
      .get();
    expect(result.data()).toEqual({ sum: 0, avg: null });
  });
});
