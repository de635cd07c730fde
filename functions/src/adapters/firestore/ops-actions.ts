import { type DocumentData, type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { OperatorAction, OperatorActions } from '../../ops/ports.ts';
import { type Chained, type CurrentChainKey, takeChained } from './chain.ts';
import { STORE_CALL_LIMIT_MS, storeCall } from './store-call.ts';

/** As long as the records of the runs that the actions are about. */
const KEPT_MONTHS = 12;

/** `operator_actions/{id}`: who looked at what is personal, and who decided what. */
export const makeOperatorActions = (
  client: () => Promise<Firestore>,
  chainKey: CurrentChainKey,
): OperatorActions => ({
  record: (action) =>
    storeCall('audit_unavailable', 'take the record of the action', STORE_CALL_LIMIT_MS, async () => {
      const [db, key] = await Promise.all([client(), chainKey()]);
      await takeChained(db, key, chainedAction(db, action));
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

/** A new record of its own name, and its place in the chain of what operators do. */
export const chainedAction = (db: Firestore, action: OperatorAction): Chained & { readonly isNew: true } => ({
  stream: 'operators',
  kind: 'closed',
  ref: db.collection('operator_actions').doc(),
  data: toActionDocument(action),
  isNew: true,
});

const toActionDocument = (action: OperatorAction): DocumentData => {
  const expireAt = new Date(action.at);
  expireAt.setUTCMonth(expireAt.getUTCMonth() + KEPT_MONTHS);
  return { ...action, at: Timestamp.fromDate(action.at), expireAt: Timestamp.fromDate(expireAt) };
};

export const fromActionDocument = ({ chain, erased, ...data }: DocumentData): OperatorAction =>
  ({ ...data, at: (data['at'] as Timestamp).toDate() }) as OperatorAction;
