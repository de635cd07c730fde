import { type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { RosterRefresh } from '../../portal/ports.ts';
import { type RefreshRequests, windowOf } from '../../roster/ports.ts';
import { makeStoreCalls } from './store-call.ts';

/** A request is deleted when it has been met; this removes what was left behind. */
const REQUEST_KEPT_MS = 24 * 60 * 60_000;
/** The webhook asks after its commit: with that one's limit it must stay far below the 30 s of the sender's answer. */
const CALL_LIMIT_MS = 5_000;
const ALREADY_EXISTS = 6;

/**
 * One document a window of a few seconds asks for one run: its creation is the trigger. A burst of changes makes it
 * once, and each process remembers what it has asked for.
 */
export const makeRosterRefresh = (client: () => Promise<Firestore>): RosterRefresh & RefreshRequests => {
  let requested = '';
  const call = makeStoreCalls(client, CALL_LIMIT_MS);
  const refOf = (db: Firestore, window: string) => db.collection('roster_refreshes').doc(window);

  const create = async (db: Firestore, window: string, at: Date): Promise<void> => {
    const expireAt = Timestamp.fromMillis(at.getTime() + REQUEST_KEPT_MS);
    try {
      await refOf(db, window).create({ requestedAt: Timestamp.fromDate(at), expireAt });
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== ALREADY_EXISTS) throw cause;
    }
  };

  return {
    request: (at) =>
      call('take the request to refresh the roster', async (db) => {
        const window = windowOf(at);
        if (window === requested) return;
        await create(db, window, at);
        requested = window;
      }),
    forget: (window) =>
      call('forget a request to refresh the roster', async (db) => {
        await refOf(db, window).delete();
      }),
  };
};
