import { setTimeout as delay } from 'node:timers/promises';
import {
  type DocumentData,
  type DocumentReference,
  type DocumentSnapshot,
  type Firestore,
  type Precondition,
  Timestamp,
  type Transaction,
} from 'firebase-admin/firestore';
import { z } from 'zod';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import {
  formerWithdrawals,
  isNewNumber,
  type PendingEdit,
  type Withdrawals,
} from '../../domain/member/kept-values.ts';
import { sourceHash } from '../../domain/member/patch.ts';
import { makeGroups, makeTurns } from '../../lib/concurrency.ts';
import type { ChangeOutcome, ChangeRequest, EventReceipt, MemberStore } from '../../portal/ports.ts';
import { hintRef } from './hint-store.ts';
import {
  deletedAtOf,
  FORMER_FIELDS,
  memberRef,
  storedIn,
  toFormerDocument,
  toMemberDocument,
} from './member-document.ts';
import { makeStoreCalls, toDocumentState, tryCommit, whileAwaited } from './store-call.ts';
import { toPendingEdits } from './twoway-documents.ts';

/** How long a repetition of an event is recognised: longer than any sender tries. */
const RECEIPT_KEPT_MS = 7 * 24 * 60 * 60_000;
/** Below the webhook's 30 s, so that it can still answer 503. */
const CALL_LIMIT_MS = 20_000;
/** A burst of events of one member contends for its document; each attempt waits a little longer. */
const TRANSACTION_ATTEMPTS = 10;
/** The values that one `in` filter takes. */
const CHANGES_A_COMMIT = 30;
/** While one group reads, others write. */
const GROUPS_AT_ONCE = 4;
/** As many as a full group and a bit: in a flood two large groups take less work than four. */
const ENOUGH_CHANGES = 32;
/** A call that hangs must not make the others wait for it. */
const HELD_UP_AT_MOST_MS = 1_000;
/** Evenly between nothing and this, so that two writers that met do not meet again. */
const PAUSE_AT_MOST_MS = 40;

export interface MemberStoreOptions {
  readonly callLimitMs?: number;
}

/**
 * The portal's members over Firestore. A change is tried without a lock, together with those that wait at the same time
 * (`applyTogether`); one that needs a lock, or lost to another writer, is decided again in a transaction.
 */
export const makeMemberStore = (
  client: () => Promise<Firestore>,
  { callLimitMs = CALL_LIMIT_MS }: MemberStoreOptions = {},
): MemberStore => {
  const together = makeGroups<ChangeRequest, Attempt>({
    most: CHANGES_A_COMMIT,
    atOnce: GROUPS_AT_ONCE,
    enough: ENOUGH_CHANGES,
    slowAfterMs: HELD_UP_AT_MOST_MS,
    run: async (requests) => applyTogether(await client(), requests),
  });

  const inTurn = makeTurns(HELD_UP_AT_MOST_MS);
  const call = makeStoreCalls(client, callLimitMs);

  const tryWithoutLock = async (request: ChangeRequest, isOver: () => boolean): Promise<Attempt> => {
    const attempt = await together(request);
    if (attempt !== 'parted' || isOver()) return attempt;
    const [alone = 'overtaken'] = await applyTogether(await client(), [request]);
    return alone;
  };

  const apply = async (request: ChangeRequest, isOver: () => boolean): Promise<ChangeOutcome> => {
    // Whoever follows a hint writes while it stands, which is another document's state.
    const attempt = request.hint === undefined ? await tryWithoutLock(request, isOver) : 'locked';
    if (typeof attempt === 'object') return attempt;
    if (attempt === 'overtaken') await delay(Math.random() * PAUSE_AT_MOST_MS);
    const db = await client();
    const inside = whileAwaited(isOver, (transaction) => applyInside(db, transaction, request));
    return db.runTransaction(inside, { maxAttempts: TRANSACTION_ATTEMPTS });
  };

  return {
    read: (kennitala) =>
      call('answer a member', async (db) => {
        const snapshot = await memberRef(db, kennitala).get();
        return {
          stored: storedIn(kennitala, snapshot),
          state: toDocumentState(snapshot.updateTime),
          writtenAt: snapshot.updateTime?.toDate() ?? null,
        };
      }),
    applyChange: (request) =>
      call('take a change of a member', (_db, isOver) =>
        inTurn(request.kennitala, () => apply(request, isOver)),
      ),
  };
};

const pendingQuery = (db: Firestore) => db.collection('sync_queue').where('sync_status', '==', 'pending');

/**
 * What became of a change without a lock. Nothing of it was written unless it has an outcome.
 *
 *     locked     only a transaction can decide it
 *     overtaken  another writer came between its reading and its commit
 *     parted     its group failed, perhaps by another one of it
 */
type Attempt = ChangeOutcome | 'locked' | 'overtaken' | 'parted';

/**
 * Two calls one after the other, where a transaction needs three: everything is read at once, and one commit holds all
 * writes, each member's only while the document is as it was read, and each receipt only while there is none.
 *
 * The queue has no such precondition: an edit that comes to wait between the two calls would be missed. So this is done
 * only where it would not matter: no edit of the member waits, and the document shows exactly what the registry had said
 * (`source_hash`), so that no edit of it is on its way to the queue. Whoever lets an edit wait without touching such a
 * document does it as if after this commit.
 */
const applyTogether = async (db: Firestore, requests: readonly ChangeRequest[]): Promise<Attempt[]> => {
  try {
    return await decideTogether(db, requests);
  } catch (cause) {
    if (requests.length === 1) throw cause;
    return requests.map(() => 'parted');
  }
};

const decideTogether = async (db: Firestore, requests: readonly ChangeRequest[]): Promise<Attempt[]> => {
  const places = requests.map((request) => placesOf(db, request));
  const [documents, edits] = await Promise.all([
    db.getAll(...places.flatMap(refsIn)),
    pendingQuery(db)
      .where('kennitala', 'in', [...new Set(requests.map(({ kennitala }) => kennitala))])
      .select('kennitala')
      .get(),
  ]);
  const withEdits = new Set(edits.docs.map((document) => document.get('kennitala')));
  const batch = db.batch();
  const attempts = requests.map((request, n): Attempt => {
    const place = places[n] as Places;
    const seen = seenIn(place, documents.splice(0, refsIn(place).length));
    const known = outcomeWithoutDeciding(request, seen);
    if (known !== null) return known;
    const stored = storedIn(request.kennitala, seen.member);
    if (
      withEdits.has(request.kennitala) ||
      !isAsRegistrySaid(stored) ||
      isNewNumber(stored, request.djangoId)
    ) {
      return 'locked';
    }
    const outcome = decideWith(request, stored, [], {});
    write(batch, request, place, seen, outcome);
    return outcome;
  });
  if (!attempts.some(isDecided) || (await tryCommit(batch)) !== null) return attempts;
  return attempts.map((attempt) =>
    isDecided(attempt) ? (requests.length === 1 ? 'overtaken' : 'parted') : attempt,
  );
};

const isDecided = (attempt: Attempt): boolean => typeof attempt === 'object' && attempt.kind === 'decided';

const isAsRegistrySaid = (stored: StoredMember | null): boolean =>
  stored === null || sourceHash(stored.member) === stored.meta.source_hash;

const applyInside = async (
  db: Firestore,
  transaction: Transaction,
  request: ChangeRequest,
): Promise<ChangeOutcome> => {
  const { kennitala, djangoId } = request;
  const places = placesOf(db, request);
  const seen = seenIn(places, await transaction.getAll(...refsIn(places)));
  const known = outcomeWithoutDeciding(request, seen);
  if (known !== null) return known;
  const pending = await pendingEdits(db, transaction, seen.member);
  const stored = storedIn(kennitala, seen.member);
  const former = isNewNumber(stored, djangoId) ? await formerIn(db, transaction, kennitala, djangoId) : {};
  const outcome = decideWith(request, stored, pending, former);
  write(transaction, request, places, seen, outcome);
  return outcome;
};

/** The documents that a change reads and writes. */
interface Places {
  readonly member: DocumentReference;
  readonly receipt: DocumentReference | null;
  readonly standing: DocumentReference | null;
}

interface Seen {
  readonly member: DocumentSnapshot;
  readonly receipt: DocumentSnapshot | undefined;
  readonly standing: DocumentSnapshot | undefined;
}

const placesOf = (db: Firestore, { kennitala, eventId, hint }: ChangeRequest): Places => ({
  member: memberRef(db, kennitala),
  receipt: eventId === null ? null : db.collection('webhook_receipts').doc(eventId),
  standing: hint === undefined ? null : hintRef(db, kennitala),
});

const refsIn = ({ member, receipt, standing }: Places): DocumentReference[] =>
  [member, receipt, standing].filter((ref) => ref !== null);

/** @param documents Those of `refsIn`, in its order. */
const seenIn = (places: Places, documents: readonly DocumentSnapshot[]): Seen => {
  const refs = refsIn(places);
  const snapshotOf = (ref: DocumentReference | null) =>
    ref === null ? undefined : documents[refs.indexOf(ref)];
  const member = snapshotOf(places.member);
  if (member === undefined || documents.length !== refs.length) {
    throw new Error('Firestore answered other documents than were asked for.');
  }
  return { member, receipt: snapshotOf(places.receipt), standing: snapshotOf(places.standing) };
};

/** Null: it has to be decided. */
const outcomeWithoutDeciding = (
  { ifState, hint }: ChangeRequest,
  { member, receipt, standing }: Seen,
): ChangeOutcome | null => {
  if (receipt?.exists) return { kind: 'duplicate', receipt: readReceipt(receipt) };
  if (hint !== undefined && standing?.get('token') !== hint.token) return { kind: 'superseded' };
  const isMoved = ifState !== undefined && toDocumentState(member.updateTime) !== ifState;
  return isMoved ? { kind: 'moved' } : null;
};

const decideWith = (
  { decide, toReceipt }: ChangeRequest,
  stored: StoredMember | null,
  pending: readonly PendingEdit[],
  former: Withdrawals,
): ChangeOutcome => {
  const decision = decide(stored, pending, former);
  return decision === null
    ? { kind: 'undecided' }
    : { kind: 'decided', decision, receipt: toReceipt(decision) };
};

/** What a batch and a transaction have in common. */
interface Writes {
  create(ref: DocumentReference, document: DocumentData): unknown;
  update(ref: DocumentReference, document: DocumentData, ifState: Precondition): unknown;
  delete(ref: DocumentReference): unknown;
}

/** Each document only while it is as it was seen. */
const write = (
  writes: Writes,
  { hint, at }: ChangeRequest,
  { member, receipt, standing }: Places,
  { member: before }: Seen,
  outcome: ChangeOutcome,
): void => {
  if (outcome.kind !== 'decided') return;
  const { decision } = outcome;
  if (decision.kind === 'write') {
    const document = toMemberDocument(decision.member, decision.meta, at);
    if (before.updateTime === undefined) writes.create(member, document);
    else writes.update(member, document, { lastUpdateTime: before.updateTime });
  }
  if (hint?.closes === true && standing !== null) writes.delete(standing);
  if (receipt !== null) {
    writes.create(receipt, {
      ...outcome.receipt,
      receivedAt: Timestamp.fromDate(at),
      expireAt: Timestamp.fromMillis(at.getTime() + RECEIPT_KEPT_MS),
    });
  }
};

/**
 * The member's own edits that have not reached the registry. Where there is no document, only what came from a former number can
 * be theirs: the rest was written in one that has been erased, whose items are about to be.
 */
const pendingEdits = async (
  db: Firestore,
  transaction: Transaction,
  { id, exists }: DocumentSnapshot,
): Promise<PendingEdit[]> => {
  const found = await transaction.get(pendingQuery(db).where('kennitala', '==', id));
  const items = found.docs.filter((item) => exists || item.get('is_moved') === true);
  return items.flatMap((item) => toPendingEdits(item.data()));
};

/** What the person of this row of the registry withdrew under another number. */
export const formerIn = async (
  db: Firestore,
  transaction: Transaction,
  kennitala: Kennitala,
  djangoId: number,
): Promise<Withdrawals> => {
  const { docs } = await transaction.get(
    db
      .collection('members')
      .where('metadata.django_id', '==', djangoId)
      .select(...FORMER_FIELDS),
  );
  const others = docs.filter(({ id }) => id !== kennitala);
  const documents = others.map(async (document) =>
    toFormerDocument(document, await pendingEdits(db, transaction, document)),
  );
  return formerWithdrawals(await Promise.all(documents), deletedAtOf(kennitala, docs));
};

const receiptShape = z.object({
  result: z.enum(['applied', 'stale', 'accepted']),
  action: z.enum(['create', 'update', 'delete']),
  member: z.string(),
  changesRoster: z.boolean(),
});

const readReceipt = (snapshot: DocumentSnapshot): EventReceipt => receiptShape.parse(snapshot.data());
