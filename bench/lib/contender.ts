/**
 * A contender's own process: it loads the contender, runs it each time it is told to, and answers with the time and
 * the process's peak memory. The servers are in the parent, so that nothing of theirs is counted here. Argument: the
 * address of the module whose default export makes one run.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

export interface RunMeasured {
  /** Of the first run: with the loading of the module before it. */
  readonly milliseconds: number;
  /** Peak resident memory of the process so far, in MiB. */
  readonly peakMib: number;
  /** What the run answered, where it answers anything. */
  readonly facts?: unknown;
}

export type ContenderMessage =
  | { readonly type: 'loaded' }
  | ({ readonly type: 'measured' } & RunMeasured)
  | { readonly type: 'failed'; readonly why: string };

const report = (message: ContenderMessage): void => {
  process.send?.(message);
};

/**
 * Not `resourceUsage().maxRSS`: Linux hands that one down from the process that forked this one, which holds the
 * servers.
 */
const peakMib = (): number => {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(peak?.[1]) / 1_024;
};

const beforeLoading = performance.now();
const { default: runOnce } = (await import(process.argv[2] ?? '')) as { default: () => Promise<unknown> };
let loadingMs = performance.now() - beforeLoading;

process.on('disconnect', () => process.exit(0));
process.on('message', async () => {
  const before = performance.now();
  try {
    const facts = await runOnce();
    const milliseconds = loadingMs + performance.now() - before;
    loadingMs = 0;
    report({ type: 'measured', milliseconds, peakMib: peakMib(), facts });
  } catch (error) {
    report({ type: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
report({ type: 'loaded' });
