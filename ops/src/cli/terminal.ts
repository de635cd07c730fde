import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/** Where a command reads and writes. Answers go to `stdout`; prompts, progress and notes go to `stderr`. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const PROCESS_TERMINAL: Terminal = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
};

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Colours a text, on a terminal only: never in a file or a pipe, and not under `NO_COLOR` (no-color.org). */
export type Paint = (style: Style, text: string) => string;

export const makePaint = ({ stdout, env }: Terminal): Paint => {
  const isColoured = stdout.isTTY === true && !env['NO_COLOR'];
  return (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text);
};

/** Whether somebody is there to answer a question. */
export const isInteractive = ({ stdin, stderr }: Terminal): boolean =>
  stdin.isTTY === true && stderr.isTTY === true;
