import { once } from 'node:events';
import {
  EXIT_CODES,
  parseOptions,
  SCENARIOS,
  type ScenarioName,
  settingsIn,
  staysUpAfter,
} from './cli/options.ts';
import { assertRegistryAnswers, runRegister, runSync, type SyncAnswer } from './cli/runs.ts';
import { describeRun, describeStack, isRefused, makeLogView } from './cli/summary.ts';
import { portsWithOffset } from './ports.ts';
import { secretsIn } from './secrets.ts';
import type { LocalStack } from './stack.ts';

// Google's libraries look for a metadata server first, and warn when there is none.
process.env['METADATA_SERVER_DETECTION'] = 'none';

const options = parseOptions(process.argv.slice(2));
const say = (lines: readonly string[]): void => {
  (options.json ? process.stderr : process.stdout).write(`${lines.join('\n')}\n`);
};

const exitCodeOf = ({ record }: SyncAnswer): number => {
  if (record !== null && isRefused(record)) return EXIT_CODES.blocked;
  const isDone = ['published', 'unchanged', 'dry-run'].includes(record?.outcome ?? '');
  return isDone ? EXIT_CODES.done : EXIT_CODES.failed;
};

const log = makeLogView(say);

/** Ends the work: a person or the system asks for it, or the data folder is lost. A second request ends at once. */
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: the folder's lock has a handler too, which ends the process when it finds itself the only one.
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(EXIT_CODES.failed);
    stopping.abort('asked');
  });
}
const onLost = (reason: string): void => {
  process.stderr.write(`${reason} What was written since may be lost.\n`);
  stopping.abort('lost');
};

const untilStopped = once(stopping.signal, 'abort').then(() => 'stopped' as const);

/** Runs one sync and shows it. Returns the exit code. */
const runAndShow = async (stack: LocalStack): Promise<number> => {
  const isAsked = options.dryRun || options.approve !== undefined;
  const running = isAsked ? 'runMemberListSync:' : 'syncMemberList, as on Monday at 03:00:';
  say([...describeStack(stack), '', `Running ${running}`]);
  const answer = await runSync(stack, options);
  if (stopping.signal.aborted) return EXIT_CODES.failed;
  say(['', ...describeRun(answer, stack, options)]);
  if (options.json) process.stdout.write(`${JSON.stringify(answer.record)}\n`);
  return exitCodeOf(answer);
};

/** Plays a tour. Returns the exit code. */
const play = async (stack: LocalStack, name: ScenarioName): Promise<number> => {
  const scenario = await SCENARIOS[name]();
  say(['', `The tour "${name}":`]);
  const ended = await log.counting(!options.verbose, () =>
    Promise.race([scenario(stack, say), untilStopped]),
  );
  return ended === true ? EXIT_CODES.done : EXIT_CODES.failed;
};

const staysUp = !options.exit && (options.scenario === undefined || staysUpAfter(options.scenario));

const main = async (): Promise<number> => {
  const settings = settingsIn(process.env);
  if (options.django !== undefined) {
    await assertRegistryAnswers(options.django, options.token ?? '', settings['DJANGO_AUTH_SCHEME']);
  }
  // After the options, so that --help and a bad option answer at once.
  const { startStack } = await import('./stack.ts');
  const stack = await startStack({
    data: options.data,
    // A run that ends at once, and the tours, look at neither the register nor the page.
    register: staysUp,
    dashboard: staysUp,
    ports: portsWithOffset(options.portOffset),
    members: options.members,
    secrets: {
      ...secretsIn(process.env),
      ...(options.token === undefined ? {} : { DJANGO_API_TOKEN: options.token }),
    },
    settings,
    legacy: options.legacy,
    django: options.django === undefined ? undefined : { url: options.django, token: options.token ?? '' },
    onLog: log.show,
    onLost,
  });
  try {
    const ran = stopping.signal.aborted ? 'stopped' : await Promise.race([runAndShow(stack), untilStopped]);
    if (ran === 'stopped') {
      say([
        '',
        'Stopped before the run had ended. If it left its record open, the next runs are skipped until its lease',
        'ends, at most 150 seconds after its start.',
      ]);
      return EXIT_CODES.failed;
    }
    if (!staysUp) return options.scenario === undefined ? ran : await play(stack, options.scenario);
    say(['', ...(await runRegister(stack))]);
    if (options.scenario !== undefined && (await play(stack, options.scenario)) !== EXIT_CODES.done) {
      return EXIT_CODES.failed;
    }
    say(['', 'The stack stays up. Ctrl-C stops it.']);
    await untilStopped;
    say(['', 'Stopping...']);
    return stopping.signal.reason === 'lost' ? EXIT_CODES.failed : EXIT_CODES.done;
  } finally {
    await stack.close();
  }
};

try {
  process.exitCode = await main();
} catch (cause) {
  process.stderr.write(`The local stack failed: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = EXIT_CODES.failed;
}
