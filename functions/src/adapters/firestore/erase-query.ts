import type { DocumentReference, Firestore, Query, QueryDocumentSnapshot } from 'firebase-admin/firestore';
import { SyncError } from '../../lib/errors.ts';
import { makeStoreCalls } from './store-call.ts';

/** Documents of one round: well below what one commit may hold, and each round has the time limit for itself. */
const PAGE = 100;
const NOT_FOUND = 5;

export type Client = () => Promise<Firestore>;

export const eraseCall = <T>(client: Client, what: string, work: (db: Firestore) => Promise<T>): Promise<T> =>
  makeStoreCalls(client)(what, work);

/**
 * Treats everything that a query finds, round by round, until it finds nothing: `treat` must take its document out of the
 * query. Only names are read, since a list of a run can be large. Says how many documents were treated.
 */
export const eraseFound = async (
  client: Client,
  query: (db: Firestore) => Query,
  treat: (ref: DocumentReference) => Promise<unknown>,
  signal: AbortSignal,
): Promise<number> => {
  for (let treated = 0; ; ) {
    if (signal.aborted) throw new SyncError('deadline_exceeded', 'The erasure reached its time limit.');
    const round = await eraseCall(client, 'erase documents of a person', async (db) => {
      const { docs } = await query(db).limit(PAGE).select().get();
      const done = await Promise.all(docs.map(({ ref }) => unlessGone(() => treat(ref))));
      return { found: docs.length, treated: done.filter(Boolean).length };
    });
    if (round.found === 0) return treated;
    treated += round.treated;
  }
};

const PAGE_OF_TEXTS = 1_000;

/** Every document of an ordered query, page by page, each page within the time limit of one call. */
export const eachPage = async (
  client: Client,
  query: (db: Firestore) => Query,
  signal: AbortSignal,
  visit: (document: QueryDocumentSnapshot) => Promise<void>,
): Promise<void> => {
  for (let last: QueryDocumentSnapshot | undefined; ; ) {
    if (signal.aborted) throw new SyncError('deadline_exceeded', 'The erasure reached its time limit.');
    const after = last;
    const docs = await eraseCall(client, 'read what operators wrote', async (db) => {
      const page = query(db).limit(PAGE_OF_TEXTS);
      const found = await (after === undefined ? page : page.startAfter(after)).get();
      for (const document of found.docs) await visit(document);
      return found.docs;
    });
    last = docs.at(-1);
    if (last === undefined || docs.length < PAGE_OF_TEXTS) return;
  }
};

export const countFound = (client: Client, query: (db: Firestore) => Query): Promise<number> =>
  eraseCall(
    client,
    'count documents of a person',
    async (db) => (await query(db).count().get()).data().count,
  );

/** False for a document that somebody else, the TTL for one, deleted in between. */
const unlessGone = async (treat: () => Promise<unknown>): Promise<boolean> => {
  try {
    await treat();
    return true;
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code === NOT_FOUND) return false;
    throw cause;
  }
};
