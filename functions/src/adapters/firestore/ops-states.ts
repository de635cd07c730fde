import { type Firestore, type Query, Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { forEachMirror, MIRRORS, type MirrorName, type Pause, type RunOutcome } from '../../mirror/mirror.ts';
import type { LiveCounts, MirrorState, MirrorStates } from '../../ops/ports.ts';
import { type CurrentChainKey, writeChained } from './chain.ts';
import { chainedAction } from './ops-runs.ts';
import { makeStoreCalls, storedTime, whileAwaited } from './store-call.ts';

const pauseShape = z.object({ reason: z.string(), by: z.string(), at: storedTime });

/** `sync_state/{mirror}`; a mirror that never ran has none. */
const stateShape = z.object({
  last: z
    .object({ runId: z.string(), outcome: z.string(), errorCode: z.string().nullable(), at: storedTime })
    .nullish(),
  lastSuccess: z.object({ runId: z.string(), at: storedTime, memberCount: z.number() }).nullish(),
  members: z.number().nullish(),
  lease: z.object({ owner: z.string(), expiresAt: storedTime, planId: z.string().nullish() }).nullish(),
  registry: z.object({ runId: z.string(), at: storedTime, count: z.number() }).nullish(),
  pause: pauseShape.nullish(),
});

/** The mirrors' states for reading, and pausing them: what a run that begins reads in the same document. */
export const makeMirrorStates = (
  client: () => Promise<Firestore>,
  chainKey: CurrentChainKey,
): MirrorStates => {
  const call = makeStoreCalls(client);
  const stateRef = (db: Firestore, mirror: MirrorName) => db.collection('sync_state').doc(mirror);

  return {
    read: () =>
      call('answer the state of the mirrors', async (db) => {
        const states = await db.getAll(...MIRRORS.map((mirror) => stateRef(db, mirror)));
        return forEachMirror((mirror) => toState(states[MIRRORS.indexOf(mirror)]?.data()));
      }),
    pause: (mirror, { reason, by, at }, action) =>
      call('take the pause', async (db, isOver) => {
        const [key, chained] = [await chainKey(), chainedAction(db, action)];
        const take = whileAwaited(isOver, async (transaction): Promise<Pause> => {
          const before = toState((await transaction.get(stateRef(db, mirror))).data()).pause;
          const pause = { reason, by, at: before?.at ?? at };
          const stored = { ...pause, at: Timestamp.fromDate(pause.at) };
          await writeChained(db, transaction, key, chained);
          transaction.set(stateRef(db, mirror), { pause: stored }, { merge: true });
          return pause;
        });
        return db.runTransaction(take);
      }),
    resume: (mirror, action) =>
      call('take the end of the pause', async (db, isOver) => {
        const [key, chained] = [await chainKey(), chainedAction(db, action)];
        const end = whileAwaited(isOver, async (transaction) => {
          await writeChained(db, transaction, key, chained);
          transaction.set(stateRef(db, mirror), { pause: null }, { merge: true });
        });
        await db.runTransaction(end);
      }),
  };
};

/** Counted by Firestore itself: a read for every thousand. */
export const makeLiveCounts = (client: () => Promise<Firestore>): LiveCounts => {
  const call = makeStoreCalls(client);
  const count = (what: string, query: (db: Firestore) => Query): Promise<number> =>
    call(what, async (db) => (await query(db).count().get()).data().count);
  return {
    portal: () =>
      count('count the members', (db) => db.collection('members').where('membership.status', '==', 'active')),
    eventsSince: (from) =>
      count('count the events', (db) =>
        db.collection('webhook_receipts').where('receivedAt', '>=', Timestamp.fromDate(from)),
      ),
  };
};

const toState = (data: unknown): MirrorState => {
  const { last, lastSuccess, lease, pause, members, registry } = stateShape.parse(data ?? {});
  return {
    lastRun: last ? { ...last, outcome: last.outcome as RunOutcome } : null,
    lastSuccess: lastSuccess ?? null,
    members: members ?? lastSuccess?.memberCount ?? null,
    lease: lease
      ? { runId: lease.owner, expiresAt: lease.expiresAt, isWriting: typeof lease.planId === 'string' }
      : null,
    registry: registry ?? null,
    pause: pause ?? null,
  };
};
