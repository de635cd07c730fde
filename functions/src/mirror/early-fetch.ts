import type { Mirror, MirrorSource, RunContext } from './mirror.ts';
import type { MirrorPlan } from './types.ts';

/** A fetch under way, and when it began. */
export interface Fetching<Source> {
  readonly source: Promise<Source>;
  readonly since: Date;
}

export interface EarlyFetch<Source> {
  /** Begins to fetch; one that was under way is given up, since another run may have come between. */
  readonly start: (context: Omit<RunContext, 'signal'>) => void;
  /** The fetch that is under way, or null: then there is none, and none will begin. */
  readonly take: () => Fetching<Source> | null;
  /** Gives up what is under way, and waits until nothing of it goes on. */
  readonly cancel: () => Promise<void>;
}

/**
 * Fetches while the lease is being taken, for mirrors whose fetch changes nothing: the two wait for different servers.
 *
 * It must begin after the state was read in which nobody held the lease. The lease is then taken only if that state is
 * still the same, so no other run can have fetched later and published earlier than this one.
 */
export const makeEarlyFetch = <S extends MirrorSource, P extends MirrorPlan>(
  mirror: Mirror<S, P>,
  { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
): EarlyFetch<S> => {
  let underWay: (Fetching<S> & { readonly giveUp: () => void }) | null = null;
  let settled: Promise<unknown> = Promise.resolve();
  const cancel = async (): Promise<void> => {
    underWay?.giveUp();
    underWay = null;
    await settled;
  };
  return {
    start: (context) => {
      if (mirror.fetchesEarly !== true) return;
      underWay?.giveUp();
      const controller = new AbortController();
      const giveUp = (): void => controller.abort();
      signal.addEventListener('abort', giveUp, { once: true });
      const source = mirror
        .fetch({ ...context, signal: controller.signal })
        .finally(() => signal.removeEventListener('abort', giveUp));
      // Whoever takes it hears of a failure; nobody else wants to.
      settled = Promise.allSettled([settled, source]);
      underWay = { source, since: now(), giveUp };
    },
    take: () => {
      const taken = underWay;
      underWay = null;
      return taken;
    },
    cancel,
  };
};
