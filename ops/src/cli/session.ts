import { type Api, makeApi } from './api.ts';
import { confirm } from './ask.ts';
import { findTarget, type Target, type TargetOptions } from './target.ts';
import { makePaint, type Paint, type Terminal } from './terminal.ts';
import { printableLines } from './text.ts';

/** Options that every command takes. */
export interface GlobalOptions extends TargetOptions {
  readonly json?: boolean | undefined;
  readonly yes?: boolean | undefined;
}

/** What one command works with. */
export interface Session {
  readonly terminal: Terminal;
  readonly target: Target;
  readonly api: Api;
  readonly paint: Paint;
  /** Answers: `document` as JSON under `--json`, the lines otherwise. */
  show(document: unknown, lines: () => readonly string[]): void;
  /** What is no answer: on stderr, so that it never gets into a pipe. */
  note(line: string): void;
  /** Asks before something is written to the target. */
  confirm(question: string): Promise<void>;
  /** A command of this tool that meets the same target. */
  commandLine(command: string): string;
}

export const openSession = async (options: GlobalOptions, terminal: Terminal): Promise<Session> => {
  const target = await findTarget(options, terminal.env);
  return {
    terminal,
    target,
    api: makeApi(target, options.json === true ? 'raw' : 'printable'),
    paint: makePaint(terminal),
    show: (document, lines) => {
      const text =
        options.json === true ? printableLines(JSON.stringify(document, null, 2)) : lines().join('\n');
      terminal.stdout.write(`${text}\n`);
    },
    note: (line) => void terminal.stderr.write(`${line}\n`),
    confirm: (question) => confirm(terminal, `${question} (on ${target.name})`, options.yes === true),
    commandLine: (command) => ['npm run ops --', command, ...target.flags].join(' '),
  };
};
