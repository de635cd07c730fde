import type { Mirror, MirrorPlan, MirrorSource, RunContext } from './mirror.ts';

/** A fetch under way, and when it began. */
export interface Fetching<Source> {
  readonly source: Promise<Source>;
  readonly since: Date;
}

export interface OverlappedFetch<Source> {
  /** Begins to fetch; one that was under way is given up, since another run may have come between. */
  readonly start: (context: Omit<RunContext, 'signal'>) => void;
  /** The fetch that is under way, or null; none begins afterwards. */
  readonly take: () => Fetching<Source> | null;
  /** Gives up what is under way, and waits until nothing of it goes on; none begins afterwards. */
  readonly cancel: () => Promise<void>;
}

/**
 * Fetches while the lease is being taken, for mirrors whose fetch changes nothing: the two wait for different servers.
 *
 * It must begin after the state was read in which nobody held the lease. The lease is then taken only if that state is
 * still the same, so no other run can have fetched later and published earlier than this one.
 */
export const makeOverlappedFetch = <S extends MirrorSource, P extends MirrorPlan>(
  mirror: Mirror<S, P>,
  { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
): OverlappedFetch<S> => {
  let underWay: (Fetching<S> & { readonly abort: () => void }) | null = null;
  let isOver = false;
  let ended: Promise<unknown> = Promise.resolve();

  const giveUp = (): void => {
    if (underWay === null) return;
    const { source, abort } = underWay;
    underWay = null;
    abort();
    const left = source.then(
      (fetched) => fetched.giveUp?.(),
      () => undefined,
    );
    ended = Promise.allSettled([ended, left]);
  };

  return {
    start: (context) => {
      giveUp();
      if (mirror.fetchesEarly !== true || isOver || signal.aborted) return;
      const controller = new AbortController();
      signal.addEventListener('abort', () => controller.abort(), { once: true });
      const source = mirror.fetch({ ...context, signal: controller.signal });
      // Whoever takes the fetch is told of its failure; without this, one that nobody takes would end the process.
      source.catch(() => undefined);
      underWay = { source, since: now(), abort: () => controller.abort() };
    },
    take: () => {
      isOver = true;
      const taken = underWay;
      underWay = null;
      return taken;
    },
    cancel: async () => {
      isOver = true;
      giveUp();
      await ended;
    },
  };
};
