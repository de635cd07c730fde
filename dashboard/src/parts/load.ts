import { useCallback, useEffect, useRef, useState } from 'react';

export interface Loading<T> {
  readonly value: T | null;
  readonly failure: unknown;
  readonly isLoading: boolean;
  /** When the value was read. */
  readonly at: number | null;
  reload(): void;
}

/**
 * Reads something when the part appears, and again when `key` changes; an answer that comes too late is dropped. While it
 * is read anew, what was read before stays.
 */
export const useLoad = <T>(read: () => Promise<T>, key = ''): Loading<T> => {
  const [state, setState] = useState<Omit<Loading<T>, 'reload'>>({
    value: null,
    failure: null,
    isLoading: true,
    at: null,
  });
  const latest = useRef(0);
  const reader = useRef(read);
  reader.current = read;
  const reload = useCallback(() => {
    latest.current += 1;
    const mine = latest.current;
    setState((before) => ({ ...before, isLoading: true }));
    const settle = (value: T | null, failure: unknown) => {
      if (mine === latest.current) setState({ value, failure, isLoading: false, at: Date.now() });
    };
    reader.current().then(
      (value) => settle(value, null),
      (failure: unknown) => settle(null, failure),
    );
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another key is another thing to read.
  useEffect(() => {
    reload();
    return () => {
      latest.current += 1;
    };
  }, [key, reload]);
  return { ...state, reload };
};

/** Calls `work` every so often while somebody can see the page, and at once when they come back to it. */
export const useEvery = (milliseconds: number, work: () => void): void => {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const tick = () => {
      if (document.visibilityState === 'visible') latest.current();
    };
    const timer = setInterval(tick, milliseconds);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [milliseconds]);
};

export interface Action {
  readonly isWorking: boolean;
  readonly failure: unknown;
  /** Whether it went well. */
  run(work: () => Promise<void>): Promise<boolean>;
}

/** Something that is done on request, once at a time. */
export const useAction = (): Action => {
  const [state, setState] = useState({ isWorking: false, failure: null as unknown });
  return {
    ...state,
    run: async (work) => {
      if (state.isWorking) return false;
      setState({ isWorking: true, failure: null });
      try {
        await work();
        setState({ isWorking: false, failure: null });
        return true;
      } catch (failure) {
        setState({ isWorking: false, failure });
        return false;
      }
    },
  };
};
