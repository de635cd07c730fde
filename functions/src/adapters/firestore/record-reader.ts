import { FieldPath, type Firestore, type Query, type QueryDocumentSnapshot } from 'firebase-admin/firestore';
import pMap from 'p-map';
import { SyncError } from '../../lib/errors.ts';
import { CHAINED_COLLECTIONS, type ListDocument, STREAMS, type Stream } from '../../proof/chain.ts';
import type { StoredRecord } from '../../proof/check-record.ts';
import type { RecordReader } from '../../proof/ports.ts';
import { streamRef } from './chain.ts';
import { toListDocument } from './change-lists.ts';
import { makeStoreCalls } from './store-call.ts';

const PAGE = 300;
/** Of a name alone. */
const NAMES_PAGE = 2_000;
/** A document of lists has at most 5,000 people. */
const LISTS_AT_ONCE = 8;

/** All records of the chained collections, with the lists of runs, for their proof. */
export const makeRecordReader = (client: () => Promise<Firestore>): RecordReader => {
  const call = makeStoreCalls(client);

  /** The numbers of the lists' documents, by run: also of those that no record names. */
  const listNumbers = async (signal: AbortSignal): Promise<Map<string, number[]>> => {
    const numbers = new Map<string, number[]>();
    const all = (db: Firestore) => db.collectionGroup('changes').orderBy(FieldPath.documentId()).select();
    for await (const { ref } of pagesOf(call, all, NAMES_PAGE, signal)) {
      const record = ref.parent.parent;
      if (record?.parent.id !== 'sync_audit') continue;
      numbers.set(record.id, [...(numbers.get(record.id) ?? []), Number(ref.id)]);
    }
    return numbers;
  };

  const listsOf = async (runId: string, numbers: readonly number[]): Promise<Map<number, ListDocument>> => {
    const readList = (n: number) =>
      call('answer the lists of a run', async (db) => {
        const found = (await db.doc(`sync_audit/${runId}/changes/${n}`).get()).data();
        return found === undefined ? [] : [[n, toListDocument(found)] as const];
      });
    const read = await pMap(numbers, readList, { concurrency: LISTS_AT_ONCE });
    return new Map(read.flat());
  };

  async function* records(signal: AbortSignal): AsyncGenerator<StoredRecord> {
    for (const collection of CHAINED_COLLECTIONS) {
      const all = (db: Firestore) => db.collection(collection).orderBy(FieldPath.documentId());
      const numbers = collection === 'sync_audit' ? await listNumbers(signal) : new Map<string, number[]>();
      for await (const document of pagesOf(call, all, PAGE, signal)) {
        const lists = await listsOf(document.id, numbers.get(document.id) ?? []);
        yield { collection, id: document.id, data: document.data(), lists };
      }
    }
  }

  return {
    records,
    heads: () =>
      call('answer the heads of the chains', async (db) => {
        const states = await db.getAll(...STREAMS.map((stream) => streamRef(db, stream)));
        return Object.fromEntries(
          STREAMS.map((stream, n) => [stream, states[n]?.get('chain') ?? null]),
        ) as Record<Stream, unknown>;
      }),
  };
};

/** Every document of an ordered query, each page within the time limit of one call. */
export async function* pagesOf(
  call: <T>(what: string, work: (db: Firestore) => Promise<T>) => Promise<T>,
  query: (db: Firestore) => Query,
  size: number,
  signal?: AbortSignal,
): AsyncGenerator<QueryDocumentSnapshot> {
  for (let last: QueryDocumentSnapshot | undefined; ; ) {
    if (signal?.aborted) {
      throw new SyncError(
        'deadline_exceeded',
        'The records could not all be read in time. Nothing is known of them.',
      );
    }
    const after = last;
    const { docs } = await call('answer the records', (db) => {
      const page = query(db).limit(size);
      return (after === undefined ? page : page.startAfter(after)).get();
    });
    yield* docs;
    last = docs.at(-1);
    if (last === undefined || docs.length < size) return;
  }
}
