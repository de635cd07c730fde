import type { Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import { type GlobalOptions, openSession, type Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** One invocation: it turns what a command does into commander's action, and keeps how it ended. */
export interface Cli {
  readonly terminal: Terminal;
  /** `handler` gets the session, and what commander gives: arguments, then the command's own options. */
  action<Args extends unknown[]>(
    handler: (session: Session, ...args: Args) => Promise<ExitCode>,
  ): (...given: [...Args, Command]) => Promise<void>;
  /** Of the command that ran; undefined while none has. */
  exitCode(): ExitCode | undefined;
}

export const makeCli = (terminal: Terminal): Cli => {
  let ended: ExitCode | undefined;
  return {
    terminal,
    action:
      <Args extends unknown[]>(handler: (session: Session, ...args: Args) => Promise<ExitCode>) =>
      async (...given: [...Args, Command]) => {
        const command = given.at(-1) as Command;
        const args = given.slice(0, -1) as Args;
        const session = await openSession(command.optsWithGlobals<GlobalOptions>(), terminal);
        try {
          ended = await handler(session, ...args);
        } finally {
          await session.api.close();
        }
      },
    exitCode: () => ended,
  };
};
