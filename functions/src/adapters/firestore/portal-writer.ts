import { type BulkWriter, type BulkWriterOptions, type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { MemberWrite, PortalWriter, WriteOptions } from '../../portal/reconcile/ports.ts';
import { toMemberDocument } from './member-document.ts';
import { fromDocumentState, storeCall } from './store-call.ts';

/** Twice as many are under way at most: enough to keep every batch of the writer full, and a few megabytes. */
const WRITES_AT_ONCE = 300;
const DOCUMENTS_PER_CALL = 250;
/** No function runs longer; the signal ends the writing before. Each request has the library's own limit. */
const WRITE_LIMIT_MS = 3_600_000;

/** ALREADY_EXISTS, FAILED_PRECONDITION and NOT_FOUND: the document is not as it was when it was read. */
const MOVED_CODES: ReadonlySet<unknown> = new Set([6, 9, 5]);

export interface PortalWriterOptions {
  /**
   * By default 500 writes a second, half as many again every five minutes, which is how Firestore asks a load to
   * begin. `false` is for a Firestore that has no such wish, as in a benchmark.
   */
  readonly throttling?: BulkWriterOptions['throttling'];
}

/** Writing `members` in bulk, each document only while it is as it was read. */
export const makePortalWriter = (
  client: () => Promise<Firestore>,
  { throttling = true }: PortalWriterOptions = {},
): PortalWriter => ({
  write: (writes, options) =>
    storeCall('store_unavailable', 'take the members', WRITE_LIMIT_MS, async () => {
      const db = await client();
      const contested = await writeInBulk(db, db.bulkWriter({ throttling }), writes, options);
      for (let from = 0; from < contested.length; from += DOCUMENTS_PER_CALL) {
        await settleContested(db, contested.slice(from, from + DOCUMENTS_PER_CALL), options);
      }
    }),
});

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
      await submit(bulk, db, write, at);
      onSettled(write, 'written');
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

const submit = (
  bulk: BulkWriter,
  db: Firestore,
  { kennitala, member, meta, ifState }: MemberWrite,
  at: Date,
): Promise<unknown> => {
  const ref = db.collection('members').doc(kennitala);
  const data = toMemberDocument(member, meta, at);
  return ifState === null
    ? bulk.create(ref, data)
    : bulk.update(ref, data, { lastUpdateTime: fromDocumentState(ifState) });
};

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
