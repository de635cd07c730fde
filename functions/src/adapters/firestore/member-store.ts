import { type DocumentSnapshot, type Firestore, Timestamp, type Transaction } from 'firebase-admin/firestore';
import { z } from 'zod';
import type { Kennitala } from '../../domain/kennitala.ts';
import {
  type FormerDocument,
  formerWithdrawals,
  isNewNumber,
  type Withdrawals,
} from '../../domain/member/consents.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import type { PendingEdit } from '../../domain/member/keep-pending-edits.ts';
import type { ChangeOutcome, ChangeRequest, MemberStore, Receipt } from '../../portal/ports.ts';
import { hintRef } from './hint-store.ts';
import { formerFacts, fromMemberDocument, toMemberDocument } from './member-document.ts';
import { storeCall, toDocumentState } from './store-call.ts';
import { toPendingEdits } from './twoway-documents.ts';

/** How long a repetition of an event is recognised: longer than any sender tries. */
const RECEIPT_KEPT_MS = 7 * 24 * 60 * 60_000;
/** Below the webhook's 30 s, so that it can still answer 503. */
const CALL_LIMIT_MS = 20_000;
/** A burst of events of one member contends for its document; each attempt waits a little longer. */
const TRANSACTION_ATTEMPTS = 10;

export interface MemberStoreOptions {
  readonly callLimitMs?: number;
}

/** The portal's members over Firestore. */
export const makeMemberStore = (
  client: () => Promise<Firestore>,
  { callLimitMs = CALL_LIMIT_MS }: MemberStoreOptions = {},
): MemberStore => ({
  read: (kennitala) =>
    storeCall('store_unavailable', 'answer a member', callLimitMs, async () => {
      const snapshot = await memberRef(await client(), kennitala).get();
      return {
        stored: storedIn(snapshot, kennitala),
        state: toDocumentState(snapshot.updateTime),
        writtenAt: snapshot.updateTime?.toDate() ?? null,
      };
    }),
  applyChange: (request) =>
    storeCall('store_unavailable', 'take a change of a member', callLimitMs, async () => {
      const db = await client();
      return db.runTransaction((transaction) => decideInside(db, transaction, request), {
        maxAttempts: TRANSACTION_ATTEMPTS,
      });
    }),
});

const memberRef = (db: Firestore, kennitala: Kennitala) => db.collection('members').doc(kennitala);

const decideInside = async (
  db: Firestore,
  transaction: Transaction,
  request: ChangeRequest,
): Promise<ChangeOutcome> => {
  const { kennitala, eventId, ifState, hint, djangoId, at, decide, toReceipt } = request;
  const member = memberRef(db, kennitala);
  const receipt = eventId === null ? null : db.collection('webhook_receipts').doc(eventId);
  const standing = hint === undefined ? null : hintRef(db, kennitala);
  const refs = [member, receipt, standing].filter((ref) => ref !== null);
  const documents = await transaction.getAll(...refs);
  const snapshotOf = (ref: (typeof refs)[number] | null) =>
    ref === null ? undefined : documents[refs.indexOf(ref)];
  const snapshot = snapshotOf(member);
  const known = snapshotOf(receipt);
  if (known?.exists) return { kind: 'duplicate', receipt: readReceipt(known) };
  if (snapshot === undefined) throw new Error('Firestore answered fewer documents than were asked for.');
  if (hint !== undefined && snapshotOf(standing)?.get('token') !== hint.token) return { kind: 'superseded' };
  if (ifState !== undefined && toDocumentState(snapshot.updateTime) !== ifState) return { kind: 'moved' };

  const pending = await pendingEdits(db, transaction, kennitala);
  const stored = storedIn(snapshot, kennitala);
  const former = isNewNumber(stored, djangoId) ? await formerIn(db, transaction, kennitala, djangoId) : {};
  const decision = decide(stored, pending, former);
  if (decision === null) return { kind: 'undecided' };
  const written = toReceipt(decision);
  if (decision.kind === 'write')
    transaction.set(member, toMemberDocument(decision.member, decision.meta, at));
  if (hint?.closes === true && standing !== null) transaction.delete(standing);
  if (receipt !== null) {
    transaction.create(receipt, {
      ...written,
      receivedAt: Timestamp.fromDate(at),
      expireAt: Timestamp.fromMillis(at.getTime() + RECEIPT_KEPT_MS),
    });
  }
  return { kind: 'decided', decision, receipt: written };
};

const storedIn = (snapshot: DocumentSnapshot, kennitala: Kennitala): StoredMember | null => {
  const data = snapshot.data();
  return data === undefined ? null : fromMemberDocument(kennitala, data);
};

/** The member's own edits that have not reached the registry. */
const pendingEdits = async (
  db: Firestore,
  transaction: Transaction,
  kennitala: Kennitala,
): Promise<PendingEdit[]> => {
  const found = await transaction.get(
    db.collection('sync_queue').where('kennitala', '==', kennitala).where('sync_status', '==', 'pending'),
  );
  return found.docs.flatMap((document) => toPendingEdits(document.data()));
};

/** What the person of this row of the registry withdrew under another number. */
const formerIn = async (
  db: Firestore,
  transaction: Transaction,
  kennitala: Kennitala,
  djangoId: number,
): Promise<Withdrawals> => {
  const { docs } = await transaction.get(
    db.collection('members').where('metadata.django_id', '==', djangoId).select('metadata'),
  );
  const others = docs.filter(({ id }) => id !== kennitala);
  const documents = others.map(async (document): Promise<FormerDocument> => {
    const former = document.id as Kennitala;
    return {
      ...formerFacts(former, document.data()),
      pending: await pendingEdits(db, transaction, former),
    };
  });
  return formerWithdrawals(await Promise.all(documents));
};

const receiptShape = z.object({
  result: z.enum(['applied', 'stale', 'accepted']),
  action: z.enum(['create', 'update', 'delete']),
  member: z.string(),
  changesRoster: z.boolean(),
});

const readReceipt = (snapshot: DocumentSnapshot): Receipt => receiptShape.parse(snapshot.data());
