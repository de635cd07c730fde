import type { Readable } from 'node:stream';
import {
  type BulkWriter,
  type BulkWriterOptions,
  FieldPath,
  type Firestore,
  type QueryDocumentSnapshot,
  Timestamp,
} from 'firebase-admin/firestore';
import { isKennitala, type Kennitala } from '../../domain/kennitala.ts';
import { formerWithdrawals, type PendingEdit, type Withdrawals } from '../../domain/member/kept-values.ts';
import { SyncError } from '../../lib/errors.ts';
import type {
  MemberToDecide,
  MemberWrite,
  PortalDocument,
  PortalIndex,
  PortalWriter,
  WriteOptions,
} from '../../portal/ports.ts';
import {
  deletedAtOf,
  FORMER_FIELDS,
  fromMemberDocument,
  memberRef,
  storedIn,
  toFormerDocument,
  toMemberDocument,
} from './member-document.ts';
import { formerIn } from './member-store.ts';
import { fromDocumentState, makeStoreCalls, toDocumentState, VALUES_PER_FILTER } from './store-call.ts';
import { toPendingEdits } from './twoway-documents.ts';

/** Documents asked for in one call: about half a megabyte of members. */
const DOCUMENTS_PER_CALL = 250;
const CALL_LIMIT_MS = 30_000;

export interface PortalIndexOptions {
  /** For one call, and for as many documents of the stream as are taken at once. */
  readonly callLimitMs?: number;
}

/**
 * Reading `members` for a reconcile. Whole documents are read: Firestore bills a document whichever fields are
 * asked for, and only its content shows what was changed behind the back of its metadata.
 */
export const makePortalIndex = (
  client: () => Promise<Firestore>,
  { callLimitMs = CALL_LIMIT_MS }: PortalIndexOptions = {},
): PortalIndex => {
  const call = makeStoreCalls(client, callLimitMs);
  return {
    documents: ({ signal }) => streamDocuments(client, call, signal),
    read: (kennitalas) =>
      call('answer members', async (db) => {
        const found = new Map<Kennitala, MemberToDecide>();
        for (let from = 0; from < kennitalas.length; from += DOCUMENTS_PER_CALL) {
          await readInto(found, db, kennitalas.slice(from, from + DOCUMENTS_PER_CALL));
        }
        return found;
      }),
    former: (members) =>
      call('answer former numbers', async (db) => {
        const found = new Map<Kennitala, Withdrawals>();
        for (let from = 0; from < members.length; from += VALUES_PER_FILTER) {
          await formerInto(found, db, members.slice(from, from + VALUES_PER_FILTER));
        }
        return found;
      }),
  };
};

/** The client library goes on behind the last document when the stream breaks. */
async function* streamDocuments(
  client: () => Promise<Firestore>,
  call: ReturnType<typeof makeStoreCalls>,
  signal: AbortSignal,
): AsyncGenerator<PortalDocument> {
  const stream = (await client()).collection('members').orderBy(FieldPath.documentId()).stream() as Readable;
  const documents: AsyncIterator<QueryDocumentSnapshot> = stream[Symbol.asyncIterator]();
  try {
    for (let isOver = false; !isOver; ) {
      assertNotAborted(signal);
      // A time limit for each document would take longer than reading it.
      const taken: QueryDocumentSnapshot[] = [];
      await call('answer the members', async () => {
        while (!isOver && taken.length < DOCUMENTS_PER_CALL) {
          const next = await documents.next();
          if (next.done === true) isOver = true;
          else taken.push(next.value);
        }
      });
      for (const document of taken) yield toPortalDocument(document);
    }
  } finally {
    // Not `return()` of the iterator, which waits for an answer that may never come.
    stream.destroy();
  }
}

const assertNotAborted = (signal: AbortSignal): void => {
  if (signal.aborted) {
    throw new SyncError('deadline_exceeded', 'The run reached its time limit while the portal was read.');
  }
};

export const toPortalDocument = (snapshot: QueryDocumentSnapshot): PortalDocument => {
  const kennitala = isKennitala(snapshot.id) ? snapshot.id : null;
  return {
    kennitala,
    // Of a document that is not a member's, only the name counts.
    stored: fromMemberDocument((kennitala ?? snapshot.id) as Kennitala, snapshot.data()),
    state: toDocumentState(snapshot.updateTime),
  };
};

const readInto = async (
  found: Map<Kennitala, MemberToDecide>,
  db: Firestore,
  kennitalas: readonly Kennitala[],
): Promise<void> => {
  const snapshots = await db.getAll(...kennitalas.map((kennitala) => memberRef(db, kennitala)));
  const there = snapshots.filter(({ exists }) => exists).map(({ id }) => id as Kennitala);
  const pending = await pendingEditsOf(db, there);
  for (const snapshot of snapshots) {
    const kennitala = snapshot.id as Kennitala;
    found.set(kennitala, {
      stored: storedIn(kennitala, snapshot),
      state: toDocumentState(snapshot.updateTime),
      writtenAt: snapshot.updateTime?.toDate() ?? null,
      pending: pending.get(kennitala) ?? [],
    });
  }
};

const formerInto = async (
  found: Map<Kennitala, Withdrawals>,
  db: Firestore,
  members: Parameters<PortalIndex['former']>[0],
): Promise<void> => {
  const { docs } = await db
    .collection('members')
    .where(
      'metadata.django_id',
      'in',
      members.map(({ djangoId }) => djangoId),
    )
    .select(...FORMER_FIELDS)
    .get();
  const pending = await pendingEditsOf(
    db,
    docs.map(({ id }) => id as Kennitala),
  );
  for (const { kennitala, djangoId } of members) {
    const ofRow = docs.filter((it) => it.get('metadata.django_id') === djangoId);
    const others = ofRow.filter(({ id }) => id !== kennitala);
    if (others.length === 0) continue;
    const documents = others.map((it) => toFormerDocument(it, pending.get(it.id) ?? []));
    found.set(kennitala, formerWithdrawals(documents, deletedAtOf(kennitala, ofRow)));
  }
};

const pendingEditsOf = async (
  db: Firestore,
  kennitalas: readonly Kennitala[],
): Promise<ReadonlyMap<string, PendingEdit[]>> => {
  const edits = new Map<string, PendingEdit[]>();
  for (let from = 0; from < kennitalas.length; from += VALUES_PER_FILTER) {
    const found = await db
      .collection('sync_queue')
      .where('kennitala', 'in', kennitalas.slice(from, from + VALUES_PER_FILTER))
      .where('sync_status', '==', 'pending')
      .get();
    for (const document of found.docs) {
      const data = document.data();
      const kennitala = String(data['kennitala']);
      edits.set(kennitala, [...(edits.get(kennitala) ?? []), ...toPendingEdits(data)]);
    }
  }
  return edits;
};

/** Twice as many are under way at most: enough to keep every batch of the writer full, and a few megabytes. */
const WRITES_AT_ONCE = 300;
const CONTESTED_PER_CALL = 250;
/** No function runs longer; the signal ends the writing before. Each request has the library's own limit. */
const WRITE_LIMIT_MS = 3_600_000;

/** ALREADY_EXISTS, FAILED_PRECONDITION and NOT_FOUND: the document is not as it was when it was read. */
const MOVED_CODES: ReadonlySet<unknown> = new Set([6, 9, 5]);

interface PortalWriterOptions {
  /**
   * By default 500 writes a second, half as many again every five minutes, which is how Firestore asks a load to
   * begin. `false` is for a Firestore that needs no such care, as in a benchmark.
   */
  readonly throttling?: BulkWriterOptions['throttling'];
}

/** Writing `members` in bulk, each document only while it is as it was read. */
export const makePortalWriter = (
  client: () => Promise<Firestore>,
  { throttling = true }: PortalWriterOptions = {},
): PortalWriter => {
  const call = makeStoreCalls(client, WRITE_LIMIT_MS);
  return {
    write: (writes, options) =>
      call('take the members', async (db) => {
        const contested = await writeInBulk(db, db.bulkWriter({ throttling }), writes, options);
        for (let from = 0; from < contested.length; from += CONTESTED_PER_CALL) {
          await settleContested(db, contested.slice(from, from + CONTESTED_PER_CALL), options);
        }
      }),
  };
};

/** Returns the writes that Firestore refused since their documents had moved. */
const writeInBulk = async <W extends MemberWrite>(
  db: Firestore,
  bulk: BulkWriter,
  writes: AsyncIterable<W>,
  { at, signal, onSettled }: WriteOptions<W>,
): Promise<readonly W[]> => {
  const contested: W[] = [];
  const failures: unknown[] = [];
  const settle = async (write: W): Promise<void> => {
    try {
      const isMade =
        write.former === undefined ? await submit(bulk, db, write, at) : await follow(db, write, at);
      if (isMade) onSettled(write, 'written');
      else contested.push(write);
    } catch (cause) {
      if (MOVED_CODES.has((cause as { code?: unknown }).code)) contested.push(write);
      else failures.push(cause);
    }
  };
  let older: Promise<void>[] = [];
  let newer: Promise<void>[] = [];
  try {
    for await (const write of writes) {
      newer.push(settle(write));
      if (newer.length < WRITES_AT_ONCE) continue;
      // A batch that is not full waits for a flush.
      void bulk.flush();
      await Promise.all(older);
      older = newer;
      newer = [];
      if (signal.aborted || failures.length > 0) break;
    }
  } finally {
    await bulk.close();
    await Promise.all([...older, ...newer]);
  }
  if (failures.length > 0) throw failures[0];
  return contested;
};

const submit = async (
  bulk: BulkWriter,
  db: Firestore,
  { kennitala, member, meta, ifState }: MemberWrite,
  at: Date,
): Promise<true> => {
  const ref = memberRef(db, kennitala);
  const data = toMemberDocument(member, meta, at);
  await (ifState === null
    ? bulk.create(ref, data)
    : bulk.update(ref, data, { lastUpdateTime: fromDocumentState(ifState) }));
  return true;
};

/**
 * The first document of a corrected number depends on others too: a consent that was withdrawn there since they were read
 * would be on again here until its own event.
 */
const follow = (
  db: Firestore,
  { kennitala, member, meta, ifState, former = {} }: MemberWrite,
  at: Date,
): Promise<boolean> =>
  db.runTransaction(async (transaction) => {
    const ref = memberRef(db, kennitala);
    const state = toDocumentState((await transaction.get(ref)).updateTime);
    const said = meta.django_id === null ? {} : await formerIn(db, transaction, kennitala, meta.django_id);
    // What is not said there any more can have been written over by this very run: another person has that number now.
    const isNews = Object.keys(said).some((path) => !Object.hasOwn(former, path));
    if (state !== ifState || isNews) return false;
    const data = toMemberDocument(member, meta, at);
    if (ifState === null) transaction.create(ref, data);
    else transaction.update(ref, data);
    return true;
  });

/**
 * A write whose answer was lost is tried again by the library, and then refused because of itself. The document says
 * who wrote it: this run, or another writer whose word stands.
 */
const settleContested = async <W extends MemberWrite>(
  db: Firestore,
  contested: readonly W[],
  { at, onSettled }: WriteOptions<W>,
): Promise<void> => {
  const members = db.collection('members');
  const snapshots = await db.getAll(...contested.map(({ kennitala }) => members.doc(kennitala)));
  const ours = Timestamp.fromDate(at);
  for (const [n, write] of contested.entries()) {
    const syncedAt: unknown = snapshots[n]?.get('metadata.synced_at');
    const origin: unknown = snapshots[n]?.get('metadata.origin');
    const isOurs = syncedAt instanceof Timestamp && syncedAt.isEqual(ours) && origin === write.meta.origin;
    onSettled(write, isOurs ? 'written' : 'overtaken');
  }
};
