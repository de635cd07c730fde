import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DocumentData,
  type DocumentReference,
  FieldValue,
  type Firestore,
  type Timestamp,
  type Transaction,
} from 'firebase-admin/firestore';
import {
  type Link,
  type LinkKind,
  makeLink,
  type NewLink,
  STREAMS,
  type Stream,
  toLinkText,
  tryLink,
} from '../../proof/chain.ts';
import type { ChainKey } from '../../proof/chain-key.ts';
import { COLLECTIONS, type Collection } from './collections.ts';
import { assertAwaited, tryCommit } from './store-call.ts';

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

/**
 * All streams' documents in one call: one is about to be written, and the heads of the others cost no round trip of their
 * own.
 */
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

/** As the record holds them. A link that is there already is not added again: the commit was repeated. */
export const withLink = (links: readonly Link[], link: Link): string[] =>
  (links.some(({ hash }) => hash === link.hash) ? links : [...links, link]).map(toLinkText);

/** Adds the link to those that a record holds. */
export const addLink = (link: Link): FieldValue => FieldValue.arrayUnion(toLinkText(link));

/** Whether the record has been written so: the answer to the commit was lost, and others may have written since. */
const isAmong = (links: readonly Link[], { kind, body }: Link): boolean =>
  links.some((link) => link.kind === kind && link.body === body);

/** Writes a new record and its link in a transaction that has written nothing yet. */
export const writeChained = async (
  db: Firestore,
  transaction: Transaction,
  key: ChainKey,
  chained: Chained,
): Promise<void> => {
  const { stream, ref, data } = chained;
  const [state, record] = await transaction.getAll(streamRef(db, stream), ref);
  const link = linkOf(headIn(state?.data()), chained, key);
  const before = linksIn(record?.data());
  if (isAmong(before, link)) return;
  transaction.create(ref, { ...data, chain: [toLinkText(link)] });
  transaction.set(streamRef(db, stream), { chain: link }, { merge: true });
};

/** More than ever write one head at the same time. */
const ATTEMPTS = 60;
const PAUSE_MS = 20;

/**
 * One record that no other write goes with. `isNew`: another record of that name is a failure, never overwritten. Whoever
 * finds that another came between reads again at once, where a transaction of the client would wait for a second: ten at
 * once are written within one.
 */
export const takeChained = async (
  db: Firestore,
  key: ChainKey,
  chained: Chained & { readonly isNew: boolean },
  isOver: () => boolean,
): Promise<void> => {
  const { stream, ref, data, isNew } = chained;
  const stateRef = streamRef(db, stream);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const [state, record] = await db.getAll(stateRef, ref);
    assertAwaited(isOver);
    const link = linkOf(headIn(state?.data()), chained, key);
    const before = linksIn(record?.data());
    if (isAmong(before, link)) return;
    if (isNew && record?.exists) throw new Error('There is another record of that name.');
    const batch = db.batch();
    const written = { ...data, chain: [...before, link].map(toLinkText) };
    if (isNew) batch.create(ref, written);
    else batch.set(ref, written);
    if (state?.updateTime === undefined) batch.create(stateRef, { chain: link });
    else batch.update(stateRef, { chain: link }, { lastUpdateTime: state.updateTime });
    if ((await tryCommit(batch)) !== null) return;
    await sleep(Math.random() * PAUSE_MS);
  }
  throw new Error('The head of the chain changed again and again.');
};
