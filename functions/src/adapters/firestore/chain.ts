import type {
  DocumentData,
  DocumentReference,
  Firestore,
  Timestamp,
  Transaction,
} from 'firebase-admin/firestore';
import {
  type Link,
  type LinkKind,
  makeLink,
  type NewLink,
  STREAMS,
  type Stream,
  tryLink,
} from '../../proof/chain.ts';
import type { ChainKey } from '../../proof/chain-key.ts';
import { COLLECTIONS, type Collection } from './collections.ts';

/** The key that signs now. Throws `secret_unavailable`. */
export type CurrentChainKey = () => Promise<ChainKey>;

/** `sync_state/{stream}`, whose field `chain` is the stream's head; for a mirror it is the document of its lease as well. */
export const streamRef = (db: Firestore, stream: Stream): DocumentReference =>
  db.collection('sync_state').doc(stream);

export const headIn = (state: DocumentData | undefined): Link | null => tryLink(state?.['chain']);

/** In the order in which they were added. */
export const linksIn = (record: DocumentData | undefined): Link[] => {
  const links: unknown = record?.['chain'];
  return Array.isArray(links) ? links.flatMap((link) => tryLink(link) ?? []) : [];
};

/** The documents of all streams, of which one is read to be written: the others' heads cost no round trip of their own. */
export const readStreams = async (db: Firestore, stream: Stream) => {
  const documents = await db.getAll(...STREAMS.map((name) => streamRef(db, name)));
  const own = documents[STREAMS.indexOf(stream)];
  if (own === undefined) throw new Error('Firestore answered fewer documents than were asked for.');
  const others: Link['others'] = {};
  for (const [n, name] of STREAMS.entries()) {
    const head = name === stream ? null : headIn(documents[n]?.data());
    if (head !== null) others[name] = { number: head.number, hash: head.hash };
  }
  return { own, others };
};

export interface Chained {
  readonly stream: Stream;
  readonly kind: LinkKind;
  readonly ref: DocumentReference;
  /** As it is written. */
  readonly data: DocumentData;
  /** Where `data` does not say it. */
  readonly expireAt?: Date;
  readonly others?: Link['others'];
}

/** The link of one write; it is written with the record and as the head of its stream. */
export const linkOf = (head: Link | null, { ref, data, ...rest }: Chained, key: ChainKey): Link => {
  const collection = ref.parent.id as NewLink['collection'];
  const { texts = [] }: Collection = COLLECTIONS[collection];
  const expireAt = rest.expireAt ?? (data['expireAt'] as Timestamp).toDate();
  return makeLink(head, { ...rest, collection, record: ref.id, expireAt, data, texts }, key);
};

/** A link that is there already is not added again: the commit was repeated. */
export const withLink = (links: readonly Link[], link: Link): Link[] =>
  links.some(({ hash }) => hash === link.hash) ? [...links] : [...links, link];

/**
 * Writes a record and its link in a transaction that has written nothing yet. `isNew`: a record of that name that is another
 * one is a failure (ALREADY_EXISTS), never overwritten.
 */
export const writeChained = async (
  db: Firestore,
  transaction: Transaction,
  key: ChainKey,
  chained: Chained & { readonly isNew: boolean },
): Promise<void> => {
  const { stream, ref, data, isNew } = chained;
  const [state, record] = await transaction.getAll(streamRef(db, stream), ref);
  const link = linkOf(headIn(state?.data()), chained, key);
  const before = linksIn(record?.data());
  const isRepeated = before.some(({ hash }) => hash === link.hash);
  const written = { ...data, chain: withLink(before, link) };
  if (isNew && !isRepeated) transaction.create(ref, written);
  else transaction.set(ref, written);
  transaction.set(streamRef(db, stream), { chain: link }, { merge: true });
};

/** Others write the same head; each attempt waits a little longer. */
const ATTEMPTS = 10;

/** One record that no other write goes with. */
export const takeChained = async (
  db: Firestore,
  key: ChainKey,
  chained: Chained & { readonly isNew: boolean },
): Promise<void> =>
  db.runTransaction((transaction) => writeChained(db, transaction, key, chained), { maxAttempts: ATTEMPTS });
