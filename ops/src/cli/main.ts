import { EXIT_CODES } from './exit-codes.ts';
import { runCli } from './run-cli.ts';
import { PROCESS_TERMINAL } from './terminal.ts';
import { printableLines } from './text.ts';

/** What was sent is carried out whether anybody waits or not, so stopping here is not stopping there. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    process.stderr.write(
      '\nNot waiting any more. What was asked may still be done: look with status and runs.\n',
    );
    process.exit(EXIT_CODES.failed);
  });
}
// A reader such as `head` that has seen enough is no fault.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code !== 'EPIPE') throw cause;
  process.exit(EXIT_CODES.done);
});

try {
  process.exitCode = await runCli(process.argv.slice(2), PROCESS_TERMINAL);
} catch (cause) {
  process.stderr.write(
    `A fault of this tool: ${printableLines(cause instanceof Error ? (cause.stack ?? '') : String(cause))}\n`,
  );
  process.exitCode = EXIT_CODES.failed;
}
