import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  /** Fulfilled when stdout and stderr together hold the text; rejects when it ends before. */
  shows(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Starts the command as `npm start` does; whatever is left of it when the test ends is killed. */
export const startCli = (args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCli => {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  const onText = (): void => {
    for (const watcher of watchers) watcher();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onText();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onText();
  });
  const ended = once(child, 'close').then(([code]): Ended => ({ code, stdout, stderr }));
  onTestFinished(() => kill(child, ended));
  return {
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!`${stdout}${stderr}`.includes(text)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
        ended.then(() => reject(new Error(`It ended without "${text}":\n${stdout}${stderr}`)));
      }),
    signal: (name) => void child.kill(name),
    ended,
  };
};

const kill = async (child: ChildProcess, ended: Promise<Ended>): Promise<void> => {
  child.kill('SIGKILL');
  await ended;
};

/** Runs the command to its end. */
export const runCli = (args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended> =>
  startCli(args, env).ended;
