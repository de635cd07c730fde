/** How long a transaction waits for the one before it; longer than any healthy transaction of a test or a demo. */
const TURN_MILLIS = 1000;

/**
 * Lets read-write transactions that begin with the same documents take turns, as the locks of Cloud Firestore's
 * standard edition do. It only saves retries: whether a transaction may commit is decided by what it read.
 * A transaction queues once, for its first read, so two of them can never wait for each other.
 */
export function makeTurns() {
  const last = new Map<string, Promise<void>>();

  /** Resolves when those before it have finished, or after a second; `finished` is the caller's own end. */
  return async function takeTurn(keys: string[], finished: Promise<void>): Promise<void> {
    const others = keys.flatMap((key) => last.get(key) ?? []);
    for (const key of keys) {
      last.set(key, finished);
      void finished.then(() => {
        if (last.get(key) === finished) last.delete(key);
      });
    }
    if (others.length === 0) return;
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, TURN_MILLIS);
    await Promise.race([Promise.all(others), patience.promise]);
    clearTimeout(timer);
  };
}
