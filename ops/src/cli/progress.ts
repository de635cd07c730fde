import { clearLine, cursorTo } from 'node:readline';
import type { Terminal } from './terminal.ts';

const TICK_MS = 1_000;

/** Shows on a terminal that `work` goes on and for how long, in one line that is gone at the end. Elsewhere: nothing. */
export const withProgress = async <T>(
  { stderr }: Terminal,
  text: string,
  work: () => Promise<T>,
): Promise<T> => {
  if (stderr.isTTY !== true) return work();
  const startedAt = performance.now();
  const show = (): void => {
    cursorTo(stderr, 0);
    stderr.write(`${text}: ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  };
  show();
  const timer = setInterval(show, TICK_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    cursorTo(stderr, 0);
    clearLine(stderr, 0);
  }
};
