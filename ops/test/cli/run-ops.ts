import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/run-cli.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Answer = readonly [question: RegExp, text: string];

export interface Given {
  /** Standard input of a pipe; none by default. */
  readonly stdin?: string;
  /** Somebody sits at a terminal and types this when asked; each of several after its own question. */
  readonly typed?: string | readonly Answer[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one command line in this process, with streams of its own. */
export const runOps = async (argv: readonly string[], given: Given = {}): Promise<Ended> => {
  const isTTY = given.typed !== undefined;
  const terminal = {
    stdin: Object.assign(new PassThrough(), { isTTY }),
    stdout: Object.assign(new PassThrough(), { isTTY }),
    stderr: Object.assign(new PassThrough(), { isTTY }),
    env: given.env ?? {},
  };
  // Like the process's own: a prompt that ends does not close it.
  terminal.stderr.end = () => terminal.stderr;
  const shown = { stdout: '', stderr: '' };
  const answers: Answer[] =
    typeof given.typed === 'string' ? [[/\(y\/N\)|\? \S+:/, given.typed]] : [...(given.typed ?? [])];
  for (const name of ['stdout', 'stderr'] as const) {
    terminal[name].setEncoding('utf8').on('data', (text: string) => {
      shown[name] += text;
      // A question ends in its default or a colon.
      const [next] = answers;
      if (next === undefined || !next[0].test(shown.stderr)) return;
      answers.shift();
      // What is typed before the question listens is lost, and it listens once it has been shown.
      setImmediate(() => terminal.stdin.write(`${next[1]}\n`));
    });
  }
  if (!isTTY) terminal.stdin.end(given.stdin ?? '');
  const code = await runCli(argv, terminal);
  terminal.stdin.end();
  return { code, ...shown };
};

/** Holds that a command succeeded, and shows what it said where it did not. */
export const expectDone = ({ code, stdout, stderr }: Ended): void => {
  if (code !== 0) throw new Error(`The command ended with ${code}.\n${stdout}${stderr}`);
};

/** Lines longer than the terminal that every table fits. */
export const tooWide = (text: string): string[] => text.split('\n').filter((line) => [...line].length > 80);
