import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface RunningProcess {
  readonly child: ChildProcess;
  /** Ends it and waits until it has gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface SpawnOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a long-lived process; its stderr goes to ours only when it ends by itself with a failure. */
export const startProcess = (
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): RunningProcess => {
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > 40) tail.shift();
    });
  }
  let isStopping = false;
  child.once('exit', (code) => {
    if (!isStopping && code !== 0)
      process.stderr.write(`${command} ended with ${code}:\n${tail.join('\n')}\n`);
  });
  return {
    child,
    stop: async (signal = 'SIGTERM') => {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
};

/** The first line that a process prints. Rejects when it ends without one. */
export const firstLineOf = async ({ child }: RunningProcess): Promise<string> => {
  if (child.stdout === null) throw new Error('The process has no output.');
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text));
  const end = once(child, 'exit').then(([code]) => {
    throw new Error(`The process ended with ${code} before it printed a line.`);
  });
  return Promise.race([line, end]);
};

/** Runs a command to its end and answers what it printed. Rejects with its error output on another code than 0. */
export const runCommand = async (
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<string> => {
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2_000)}`);
  return stdout.trim();
};
