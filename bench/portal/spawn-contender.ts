import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ContenderMessage, RunMeasured } from '../roster/contender.ts';

/** The heap of a small instance: by this machine's memory, V8 would collect late and the peak would say nothing. */
const NODE_FLAGS = ['--max-old-space-size=128', '--max-semi-space-size=2'];

/** Runs the module's default export once in a process of its own, whose peak memory it answers. */
export const runAlone = async (
  module: 'reconcile-ours' | 'reconcile-reference',
  env: Readonly<Record<string, string>>,
): Promise<RunMeasured> => {
  const child = fork(
    fileURLToPath(new URL('../roster/contender.ts', import.meta.url)),
    [new URL(`./${module}.ts`, import.meta.url).href],
    { env: { ...env }, execArgv: NODE_FLAGS, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const ended = once(child, 'exit');
  const nextMessage = async (): Promise<ContenderMessage> =>
    Promise.race([
      once(child, 'message').then(([received]) => received as ContenderMessage),
      ended.then(([code, signal]) => {
        throw new Error(`The process of ${module} ended: ${signal ?? `exit code ${code}`}.`);
      }),
    ]);
  try {
    await nextMessage();
    child.send('run');
    const message = await nextMessage();
    if (message.type !== 'measured') {
      throw new Error(`A run of ${module} failed: ${message.type === 'failed' ? message.why : message.type}`);
    }
    return message;
  } finally {
    if (child.connected) child.disconnect();
    await ended;
  }
};
