import { type DocumentData, type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { OperatorAction, OperatorActions } from '../../ops/ports.ts';
import { STORE_CALL_LIMIT_MS, storeCall } from './store-call.ts';

/** As long as the records of the runs that the actions are about. */
const KEPT_MONTHS = 12;

/** `operator_actions/{id}`: who looked at what is personal, and who decided what. */
export const makeOperatorActions = (client: () => Promise<Firestore>): OperatorActions => ({
  record: (action) =>
    storeCall('audit_unavailable', 'take the record of the action', STORE_CALL_LIMIT_MS, async () => {
      await actionRef(await client()).create(toActionDocument(action));
    }),
  pauses: (limit) =>
    storeCall('store_unavailable', 'answer the pauses', STORE_CALL_LIMIT_MS, async () => {
      const { docs } = await (await client())
        .collection('operator_actions')
        .where('action', 'in', ['pause', 'resume'])
        .orderBy('at', 'desc')
        .limit(limit)
        .get();
      return docs.map((document) => fromActionDocument(document.data()));
    }),
});

export const actionRef = (db: Firestore) => db.collection('operator_actions').doc();

export const toActionDocument = (action: OperatorAction): DocumentData => {
  const expireAt = new Date(action.at);
  expireAt.setUTCMonth(expireAt.getUTCMonth() + KEPT_MONTHS);
  return { ...action, at: Timestamp.fromDate(action.at), expireAt: Timestamp.fromDate(expireAt) };
};

export const fromActionDocument = (data: DocumentData): OperatorAction =>
  ({ ...data, at: (data['at'] as Timestamp).toDate() }) as OperatorAction;
