import { spawn } from 'node:child_process';
import { isSignedOut, SIGNED_OUT } from '../cli/gcloud.ts';
import { ROOT } from './root.ts';

export interface ShellOptions {
  /** Changes are shown instead of made. */
  readonly dryRun: boolean;
  /** The environment of every command; `PATH` decides which `gcloud` and `firebase` are meant. */
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
}

/** Other programs, by their names on the PATH, in the repository's folder. */
export interface Shell {
  readonly dryRun: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Asks, also in a dry run. Returns what was printed. Throws `CommandFailed`. */
  read(command: string, args: readonly string[]): Promise<string>;
  /** As `read`, but null when the answer is that there is no such thing. Any other failure still throws. */
  tryRead(command: string, args: readonly string[]): Promise<string | null>;
  /** Changes something, with its output on the terminal; in a dry run the command is shown only. Throws `CommandFailed`. */
  change(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<void>;
}

export class CommandFailed extends Error {
  readonly output: string;

  /** `status` is null for a program that is not there or was killed. */
  constructor(line: string, status: number | null, output: string) {
    const lines = output.trim().split('\n');
    // Behind its error gcloud may say how to report it, at length.
    const error = lines.findLastIndex((one) => one.startsWith('ERROR:'));
    const last = (error === -1 ? lines.slice(-6) : lines.slice(error, error + 6)).join('\n  ');
    const how = status === null ? 'could not be run' : `ended with code ${status}`;
    super(isSignedOut(output) ? SIGNED_OUT : `${line}\n  ${how}: ${last || 'it printed nothing'}`);
    this.name = 'CommandFailed';
    this.output = output;
  }
}

/** The ways in which `gcloud` says that something does not exist; a lack of rights is another answer. */
const ABSENT = /NOT_FOUND|not found: 404|could not be found|Cannot find service|does not exist/i;

export const makeShell = ({ dryRun, env, say }: ShellOptions): Shell => {
  const read = async (command: string, args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(command, args, { env, isShown: false });
    if (status !== 0) throw new CommandFailed(commandLine(command, args), status, stderr || stdout);
    return stdout.trim();
  };
  return {
    dryRun,
    env,
    read,
    tryRead: async (command, args) => {
      try {
        return await read(command, args);
      } catch (cause) {
        if (cause instanceof CommandFailed && ABSENT.test(cause.output)) return null;
        throw cause;
      }
    },
    change: async (command, args, extra = {}) => {
      say(`    $ ${commandLine(command, args)}`);
      if (dryRun) return;
      const { status, stdout, stderr } = await run(command, args, {
        env: { ...env, ...extra },
        isShown: true,
      });
      if (status !== 0) throw new CommandFailed(commandLine(command, args), status, stderr || stdout);
    },
  };
};

/** As a person would type it. */
export const commandLine = (command: string, args: readonly string[]): string =>
  [command, ...args]
    .map((word) => (/^[\w@%+=:,./()-]+$/.test(word) && !/[()]/.test(word) ? word : quoted(word)))
    .join(' ');

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Shown output is kept as well, for the message of a failure. Standard input stays a person's, who may be asked. */
const run = (
  command: string,
  args: readonly string[],
  { env, isShown }: { env: NodeJS.ProcessEnv; isShown: boolean },
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env,
      stdio: [isShown ? 'inherit' : 'ignore', 'pipe', 'pipe'],
    });
    const kept = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8');
      child[stream].on('data', (text: string) => {
        kept[stream] += text;
        if (isShown) process[stream].write(text);
      });
    }
    child.on('error', (cause) => resolve({ ...kept, status: null, stderr: cause.message }));
    child.on('close', (status) => resolve({ ...kept, status }));
  });
