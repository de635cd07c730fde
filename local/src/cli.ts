import { EXIT_CODES, parseOptions } from './cli/options.ts';
import { runSync, type SyncAnswer } from './cli/run-sync.ts';
import { describeRun, describeStack } from './cli/summary.ts';
import { portsWithOffset } from './ports.ts';
import { type LocalStack, startStack } from './stack.ts';

// Google's libraries look for a metadata server first, and warn when there is none.
process.env['METADATA_SERVER_DETECTION'] = 'none';

const options = parseOptions(process.argv.slice(2));
const say = (lines: readonly string[]): void => {
  (options.json ? process.stderr : process.stdout).write(`${lines.join('\n')}\n`);
};

const exitCodeOf = ({ record }: SyncAnswer): number => {
  if (record?.outcome === 'blocked') return EXIT_CODES.blocked;
  if (record?.outcome === 'dry-run') return record.guard?.tripped ? EXIT_CODES.blocked : EXIT_CODES.done;
  return record?.outcome === 'published' || record?.outcome === 'unchanged'
    ? EXIT_CODES.done
    : EXIT_CODES.failed;
};

const untilStopped = (stack: LocalStack): Promise<void> =>
  new Promise((resolve) => {
    const stop = (): void => {
      say(['', 'Stopping...']);
      resolve(stack.close());
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });

const main = async (): Promise<number> => {
  const stack = await startStack({
    data: options.data,
    ports: portsWithOffset(options.portOffset),
    members: options.members,
    token: options.token ?? process.env['DJANGO_API_TOKEN'],
    django: options.django === undefined ? undefined : { url: options.django, token: options.token ?? '' },
    onLog: ({ severity, message }) => say([`  ${severity === 'INFO' ? '' : `${severity} `}${message}`]),
  });
  let code: number;
  try {
    say([...describeStack(stack, stack.registry?.summary().members ?? null), '']);
    say([
      options.dryRun || options.approve
        ? 'Running runMemberListSync:'
        : 'Running syncMemberList, as on Monday at 03:00:',
    ]);
    const answer = await runSync(stack, options);
    say(['', ...describeRun(answer, stack, options)]);
    if (options.json) process.stdout.write(`${JSON.stringify(answer.record)}\n`);
    code = exitCodeOf(answer);
  } catch (cause) {
    await stack.close();
    throw cause;
  }
  if (options.exit) {
    await stack.close();
    return code;
  }
  say(['', 'The stack stays up. Ctrl-C stops it.']);
  await untilStopped(stack);
  return EXIT_CODES.done;
};

try {
  process.exitCode = await main();
} catch (cause) {
  process.stderr.write(
    `Cannot run the local stack: ${cause instanceof Error ? cause.message : String(cause)}\n`,
  );
  process.exitCode = EXIT_CODES.failed;
}
