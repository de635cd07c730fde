import { CommanderError } from 'commander';
import { ApiProblem } from './api.ts';
import { makeCli } from './cli.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { OpsError } from './ops-error.ts';
import { makeProgram } from './program.ts';
import { runbookOf } from './remedies.ts';
import type { Terminal } from './terminal.ts';
import { printableLines } from './text.ts';

/** Carries out one command line and says what went wrong, if anything did. Never throws for what it was told. */
export const runCli = async (argv: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  const cli = makeCli(terminal);
  try {
    await makeProgram(cli).parseAsync([...argv], { from: 'user' });
    return cli.exitCode() ?? EXIT_CODES.failed;
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.failed;
    if (!(cause instanceof OpsError)) throw cause;
    const remedy = cause instanceof ApiProblem ? runbookOf(cause.code) : null;
    terminal.stderr.write(
      `${printableLines(cause.message)}\n${remedy === null ? '' : `What to do: ${remedy}\n`}`,
    );
    return EXIT_CODES.failed;
  }
};
