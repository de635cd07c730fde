import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Loading<T> {
  readonly value: T | null;
  readonly failure: unknown;
  readonly isLoading: boolean;
  reload(): void;
}

/** Reads something when the part appears, and again when `key` changes; an answer that comes too late is dropped. */
export const useLoad = <T>(read: () => Promise<T>, key = ''): Loading<T> => {
  const [state, setState] = useState<Omit<Loading<T>, 'reload'>>({
    value: null,
    failure: null,
    isLoading: true,
  });
  const latest = useRef(0);
  const reader = useRef(read);
  reader.current = read;
  const reload = useCallback(() => {
    latest.current += 1;
    const mine = latest.current;
    setState((before) => ({ ...before, isLoading: true }));
    const settle = (value: T | null, failure: unknown) => {
      if (mine === latest.current) setState({ value, failure, isLoading: false });
    };
    reader.current().then(
      (value) => settle(value, null),
      (failure: unknown) => settle(null, failure),
    );
  }, []);
  useEffect(() => {
    reload();
    return () => {
      latest.current += 1;
    };
  }, [key, reload]);
  return { ...state, reload };
};
