import type { FunctionsProcess } from './child-process.ts';
import type { LogLine } from './log-lines.ts';

/** A process that ended by itself is started again after this, doubled for each end in a row. */
const MIN_RESTART_DELAY_MS = 200;
const MAX_RESTART_DELAY_MS = 10_000;

export interface Supervisor {
  readonly running: boolean;
  /** Does nothing when it runs. Rejects as `spawn` does. */
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Keeps at most one process, and starts it again when it ends without being asked to.
 *
 * Starts and ends take turns, in the order in which they were asked for, so that none of them sees a process that is
 * half started. `wanted` is what was asked for last; a restart that comes late looks at it.
 */
export function makeSupervisor(
  spawn: () => Promise<FunctionsProcess>,
  onLog: (line: LogLine) => void,
): Supervisor {
  let running: FunctionsProcess | null = null;
  let wanted = false;
  let turn: Promise<unknown> = Promise.resolve();
  let restart: NodeJS.Timeout | undefined;
  let endsInARow = 0;

  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  }

  async function ensureRunning(): Promise<void> {
    if (running !== null || !wanted) return;
    const started = await spawn();
    const startedAt = Date.now();
    running = started;
    started.ended.then((how) => {
      // Whoever ends it on purpose takes it out of `running` first.
      if (running !== started) return;
      running = null;
      if (Date.now() - startedAt > MAX_RESTART_DELAY_MS) endsInARow = 0;
      restartLater(`the functions' process ended by itself (${how})`);
    });
  }

  function restartLater(reason: string): void {
    if (!wanted) return;
    const delayMs = Math.min(MAX_RESTART_DELAY_MS, MIN_RESTART_DELAY_MS * 2 ** endsInARow);
    endsInARow += 1;
    onLog({ severity: 'ERROR', message: `${reason}: starting it again`, delayMs });
    restart = setTimeout(() => inTurn(ensureRunning).catch((error) => restartLater(String(error))), delayMs);
  }

  function end(how: (process: FunctionsProcess) => Promise<void>): Promise<void> {
    wanted = false;
    clearTimeout(restart);
    return inTurn(async () => {
      const process = running;
      running = null;
      if (process !== null) await how(process);
    });
  }

  return {
    get running() {
      return running !== null;
    },
    start() {
      wanted = true;
      clearTimeout(restart);
      return inTurn(ensureRunning);
    },
    kill: () => end((process) => process.kill()),
    stop: () => end((process) => process.stop()),
  };
}
