import type { Command } from 'commander';
import { operatorText } from '../../../functions/src/domain/storable.ts';
import { reasonText } from '../../../functions/src/ops/schemas/common.ts';
import type { ExitCode } from './exit-codes.ts';
import { OpsError } from './ops-error.ts';
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
        assertWords(command.opts());
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

/** What an operator writes, under the names that every command's option has. */
const WORDS = { reason: reasonText, operator: operatorText('the name of who decides', 100) } as const;

/** Refuses such a text as the API would, before it is sent anywhere, and without repeating it. */
const assertWords = (options: Readonly<Record<string, unknown>>): void => {
  for (const [name, schema] of Object.entries(WORDS)) {
    if (options[name] === undefined) continue;
    const { error } = schema.safeParse(options[name]);
    if (error !== undefined) {
      throw new OpsError(`--${name} must be ${error.issues[0]?.message}. Nothing was done.`);
    }
  }
};
