import { type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { RosterRefresh } from '../../portal/ports.ts';
import { type RefreshRequests, windowOf } from '../../roster/ports.ts';
import { storeCall } from './store-call.ts';

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
  const refOf = async (window: string) => (await client()).collection('roster_refreshes').doc(window);

  const create = async (window: string, at: Date): Promise<void> => {
    const expireAt = Timestamp.fromMillis(at.getTime() + REQUEST_KEPT_MS);
    try {
      await (await refOf(window)).create({ requestedAt: Timestamp.fromDate(at), expireAt });
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== ALREADY_EXISTS) throw cause;
    }
  };

  return {
    request: (at) =>
      storeCall('store_unavailable', 'take the request to refresh the roster', CALL_LIMIT_MS, async () => {
        const window = windowOf(at);
        if (window === requested) return;
        await create(window, at);
        requested = window;
      }),
    forget: (window) =>
      storeCall('store_unavailable', 'forget a request to refresh the roster', CALL_LIMIT_MS, async () => {
        await (await refOf(window)).delete();
      }),
  };
};
