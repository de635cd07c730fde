import { fork } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ContenderMessage, RunMeasured } from './contender.ts';

export interface Contender {
  /** Throws when the run failed. */
  run(): Promise<RunMeasured>;
  close(): Promise<void>;
}

/**
 * The heap of a small instance. Without it V8 sizes its heap by this machine's memory and collects late, and the peak
 * says how much memory there was rather than how much was needed.
 */
const OLD_SPACE_MIB = 128;
/** Starts a process for the module of a contender, whose default export is one run, and waits until it has loaded. */
export const spawnContender = async (
  module: URL,
  env: Readonly<Record<string, string>>,
  { semiSpaceMib = 1 } = {},
): Promise<Contender> => {
  const name = basename(module.pathname, '.ts');
  const child = fork(fileURLToPath(new URL('./contender.ts', import.meta.url)), [module.href], {
    env: { ...env },
    execArgv: [`--max-old-space-size=${OLD_SPACE_MIB}`, `--max-semi-space-size=${semiSpaceMib}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const nextMessage = async (): Promise<ContenderMessage> =>
    Promise.race([
      once(child, 'message').then(([received]) => received as ContenderMessage),
      ended.then(([code, signal]) => {
        throw new Error(`The process of ${name} ended: ${signal ?? `exit code ${code}`}.`);
      }),
    ]);
  const close = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await ended;
  };
  await nextMessage();
  return {
    run: async () => {
      const answered = nextMessage();
      child.send('run');
      const message = await answered;
      if (message.type !== 'measured') {
        throw new Error(`A run of ${name} failed: ${message.type === 'failed' ? message.why : message.type}`);
      }
      return message;
    },
    close,
  };
};
