import { FieldValue, type Firestore, type QueryDocumentSnapshot, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { HintFigures } from '../../ops/ports.ts';
import type { HintStore, NewHint, StandingHint } from '../../portal/ports.ts';
import { makeStoreCalls, timeIn, whileAwaited } from './store-call.ts';

/** A hint that nobody followed or decided by then is removed by Firestore: a week of reconciles has passed over it. */
const HINT_KEPT_MS = 7 * 24 * 60 * 60_000;
/** Below the ten seconds that the sender waits, a cold start's first connection included. */
const CALL_LIMIT_MS = 8_000;
const REMOVED_AT_ONCE = 250;
/** Beyond this nobody needs the exact number. */
const MOST_COUNTED = 1_000;
const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;

const ACTIONS = ['create', 'update', 'delete'] as const;

const hintShape = z.object({
  token: z.string(),
  state: z.enum(['following', 'unconfirmed']),
  announced: z.array(z.enum(ACTIONS)),
  payload: z.string().nullish(),
});

export interface HintStoreOptions {
  readonly callLimitMs?: number;
}

/**
 * `webhook_hints/{kennitala}`: the hint that is being followed, or was given up.
 *
 * Keeping one is a blind merge of one document, whatever stood there: a burst of hints of one member costs no retries,
 * and each writes a new token, by which the event of its write is told from those of other writes.
 */
export const makeHintStore = (
  client: () => Promise<Firestore>,
  { callLimitMs = CALL_LIMIT_MS }: HintStoreOptions = {},
): HintStore & HintFigures => {
  const call = makeStoreCalls(client, callLimitMs);

  return {
    keep: (hint) => call('take a hint', (db) => keep(db, hint)),
    read: (kennitala) =>
      call('answer a hint', async (db) => {
        const document = await hintRef(db, kennitala).get();
        return document.exists ? toStanding(document as QueryDocumentSnapshot) : null;
      }),
    giveUp: (kennitala, token, { tries, at }) =>
      call('give a hint up', (db, isOver) => {
        const giveUp = whileAwaited(isOver, async (transaction) => {
          const document = await transaction.get(hintRef(db, kennitala));
          if (document.get('token') !== token) return;
          transaction.update(document.ref, {
            state: 'unconfirmed',
            tries,
            given_up_at: Timestamp.fromDate(at),
            // What a later hint announces is all that counts then.
            announced: [],
            payload: FieldValue.delete(),
          });
        });
        return db.runTransaction(giveUp);
      }),
    forgetBefore: (time) => forgetBefore(call, time),
    unconfirmed: () =>
      call('answer the unconfirmed hints', async (db) => {
        const { docs } = await db
          .collection('webhook_hints')
          .where('state', '==', 'unconfirmed')
          .select('last_at')
          .limit(MOST_COUNTED)
          .get();
        const times = docs.flatMap((document) => timeIn(document.get('last_at'))?.getTime() ?? []);
        return {
          count: docs.length,
          oldestAt: times.length === 0 ? null : new Date(Math.min(...times)),
        };
      }),
  };
};

/** For the transaction that writes the member. */
export const hintRef = (db: Firestore, kennitala: Kennitala) => db.collection('webhook_hints').doc(kennitala);

const keep = async (
  db: Firestore,
  { kennitala, action, payload, token, at, eventId, member }: NewHint,
): Promise<'accepted' | 'duplicate'> => {
  const expireAt = Timestamp.fromMillis(at.getTime() + HINT_KEPT_MS);
  const batch = db.batch();
  batch.set(
    hintRef(db, kennitala),
    {
      token,
      state: 'following',
      action,
      announced: FieldValue.arrayUnion(action),
      last_at: Timestamp.fromDate(at),
      expireAt,
      // As text: it may hold what a document cannot, and nobody looks into it but who follows it.
      ...(payload === null ? {} : { payload: JSON.stringify(payload) }),
    },
    { merge: true },
  );
  if (eventId !== null) {
    batch.create(db.collection('webhook_receipts').doc(eventId), {
      result: 'accepted',
      action,
      member,
      changesRoster: false,
      receivedAt: Timestamp.fromDate(at),
      expireAt,
    });
  }
  try {
    await batch.commit();
    return 'accepted';
  } catch (cause) {
    // Received before; or this very commit, whose answer was lost: it stands either way.
    if (eventId !== null && (cause as { code?: unknown }).code === ALREADY_EXISTS) return 'duplicate';
    throw cause;
  }
};

const toStanding = (document: QueryDocumentSnapshot): StandingHint | null => {
  const { token, state, announced, payload } = hintShape.parse(document.data());
  if (state !== 'following') return null;
  return {
    token,
    announced: new Set(announced),
    payload: payload ? JSON.parse(payload) : null,
    receivedAt: document.updateTime.toDate(),
  };
};

/** Each only while it is as it was found: a new hint of that member may come meanwhile. */
const forgetBefore = async (call: ReturnType<typeof makeStoreCalls>, time: Date): Promise<number> => {
  let unconfirmed = 0;
  for (;;) {
    const found = await call('take hints away', async (db) => {
      const { docs } = await db
        .collection('webhook_hints')
        .where('last_at', '<', Timestamp.fromDate(time))
        .limit(REMOVED_AT_ONCE)
        .get();
      const deleted = await Promise.allSettled(
        docs.map(({ ref, updateTime }) => ref.delete({ lastUpdateTime: updateTime })),
      );
      const failure = deleted.find(
        (result) =>
          result.status === 'rejected' && (result.reason as { code?: unknown }).code !== FAILED_PRECONDITION,
      );
      if (failure !== undefined) throw (failure as PromiseRejectedResult).reason;
      unconfirmed += docs.filter(
        (document, n) => deleted[n]?.status === 'fulfilled' && document.get('state') === 'unconfirmed',
      ).length;
      return docs.length;
    });
    if (found < REMOVED_AT_ONCE) return unconfirmed;
  }
};
