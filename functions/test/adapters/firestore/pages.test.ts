import { Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { makeFirestoreErasure } from '../../../src/adapters/firestore/erase-documents.ts';
import { makeHintStore } from '../../../src/adapters/firestore/hint-store.ts';
import { makeRecordReader } from '../../../src/adapters/firestore/record-reader.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { chain } from '../../support/chain.ts';
import { openFirestoreUnderTest } from '../../support/firestore-under-test.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

const AT = new Date('2026-11-20T10:00:00Z');
const server = await openFirestoreUnderTest();
const { db } = server;
afterAll(() => server.close());
beforeEach(() => server.clear());

const [someone] = makeKennitalas(1) as [Kennitala];
const signal = new AbortController().signal;
const client = async () => db;

/** Their names ascend with `n`, as pages do. */
const fill = async (collection: string, count: number, documentOf: (n: number) => object): Promise<void> => {
  const writer = db.bulkWriter();
  for (let n = 0; n < count; n += 1)
    void writer.create(db.collection(collection).doc(String(n).padStart(6, '0')), documentOf(n));
  await writer.close();
};

describe('what one page does not hold is reached all the same', () => {
  it('by a proof of the records', async () => {
    await fill('operator_actions', 601, () => ({ action: 'pause' }));
    const ids: string[] = [];
    for await (const { id } of makeRecordReader(client).records(signal)) ids.push(id);
    expect([ids.length, ids.at(-1)]).toEqual([601, '000600']);
    expect(new Set(ids).size).toBe(601);
  });

  it('by an erasure of what operators typed', async () => {
    const last = 1_000;
    await fill('operator_actions', last + 1, (n) => ({
      reason: n === last ? `About ${someone}` : 'The branch left',
    }));
    const texts = makeFirestoreErasure(client, chain).find(({ places }) =>
      places.includes('free texts of operators'),
    );
    const person = { kennitala: someone, reference: 'm_0123456789abcdef' };
    expect(await texts?.find(person, signal)).toEqual({ 'free texts of operators': 1 });
    expect(await texts?.erase(person, signal)).toEqual({ 'free texts of operators': 1 });
    expect((await db.doc(`operator_actions/${String(last).padStart(6, '0')}`).get()).get('reason')).toBe(
      'erased',
    );
  });

  it('by whoever takes away the hints that a reconcile has seen to', async () => {
    const before = Timestamp.fromMillis(AT.getTime() - 1);
    await fill('webhook_hints', 251, () => ({ token: 'one', state: 'unconfirmed', last_at: before }));
    await db
      .doc('webhook_hints/later')
      .set({ token: 'two', state: 'unconfirmed', last_at: Timestamp.fromDate(AT) });
    expect(await makeHintStore(client).forgetBefore(AT)).toBe(251);
    expect((await db.collection('webhook_hints').get()).docs.map(({ id }) => id)).toEqual(['later']);
  });
});
