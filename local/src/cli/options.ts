import { Command, InvalidArgumentError, Option } from 'commander';
import { holdsKennitala } from '../../../functions/src/domain/kennitala.ts';
import type { Scenario } from '../scenarios/tour.ts';
import type { SyncRequest } from './runs.ts';

/** Settings of the functions that make sense here: how to talk to the registry, and what the guard lets through. */
const PASSED_ON =
  /^(DJANGO_AUTH_SCHEME|ALLOW_INSECURE_REGISTRY|ALLOW_LEGACY_WEBHOOK_AUTH|REGISTRY_[A-Z_]+|GUARD_[A-Z_]+)$/;

/**
 * What of a person's environment reaches the functions, by the names of `.env.example`. The rest stays outside: the
 * functions must not meet the credentials of a real project.
 */
export const settingsIn = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined,
    ),
  );

/** The tours of `--scenario`, loaded when asked for. */
export const SCENARIOS = {
  webhooks: async () => (await import('../scenarios/webhooks.ts')).playWebhooks,
  monday: async () => (await import('../scenarios/monday.ts')).prepareMonday,
  'two-way': async () => (await import('../scenarios/two-way.ts')).playTwoWay,
} as const satisfies Record<string, () => Promise<Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

const SCENARIO_NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[];

/** Whether the stack is a person's afterwards; the other tours stop it. */
export const staysUpAfter = (name: ScenarioName): boolean => name === 'monday';

export interface CliOptions extends SyncRequest {
  readonly exit: boolean;
  readonly json: boolean;
  /** Undefined: what the data folder holds, or 2,216 in a new one. */
  readonly members: number | undefined;
  readonly django: string | undefined;
  /** A registry without the companion app: the stand-in is one, and the functions take its key. */
  readonly legacy: boolean;
  readonly token: string | undefined;
  readonly data: string;
  /** A tour to play after the run; the stack stops when it has ended. */
  readonly scenario: ScenarioName | undefined;
  readonly portOffset: number;
  /** Every log line of the functions during a tour, instead of their number. */
  readonly verbose: boolean;
}

/** Exit codes of `npm start -- --exit`; `failed` also stands for a stack that cannot start. */
export const EXIT_CODES = { done: 0, failed: 1, blocked: 2 } as const;

const EXAMPLES = `
Exit codes with --exit:
  0  published, unchanged, or a dry run that the guard would let through
  1  failed, or the stack could not start
  2  blocked by the guard: nothing was changed

The functions' settings in .env.example that start with REGISTRY_ or GUARD_, DJANGO_AUTH_SCHEME,
ALLOW_INSECURE_REGISTRY and ALLOW_LEGACY_WEBHOOK_AUTH are taken from the environment, and so is SYNC_API_KEY,
which a registry without the companion app says.

Examples:
  npm start                                   the stack, one run, and then it stays up
  npm start --silent -- --exit --json         for scripts; --silent keeps npm's own lines off stdout
  npm start -- --scenario monday              a bad Monday: a refused run and a conflict, for you to decide
  npm start -- --scenario two-way             a member's own edit, a conflict, and a registry that is down
  npm start -- --scenario webhooks            changes, repetitions, a burst, an outage, and a reconcile
  npm start -- --dry-run                      what a run would change
  npm start -- --approve PLANID --operator "Name" --reason "why"
  npm start -- --django https://registry.example.is/felagar --token T
  npm start -- --legacy                       a registry without the companion app
  SYNC_API_KEY=K npm start -- --legacy --django https://registry.example.is/felagar --token T
  npm start -- --members 100000 --data /tmp/large --port-offset 100`;

/** Reads the command line. Prints what is wrong and ends the process with code 1 for a bad one, 0 for --help. */
export const parseOptions = (argv: readonly string[]): CliOptions => {
  const program = new Command()
    .name('npm start --')
    .usage('[options]')
    .description(
      'Starts the local stack and runs one weekly member list sync through the real syncMemberList.',
    )
    .option('--exit', 'stop after the run', false)
    .option(
      '--json',
      'the audit record (null if the run left none) as one JSON document on stdout, all else on stderr',
      false,
    )
    .option('--members <n>', 'size of the generated registry (default: 2216)', wholeNumber(1, 2_000_000))
    .addOption(
      new Option('--django <url>', 'a real registry instead of the stand-in; needs --token')
        .argParser(httpUrl)
        .conflicts('members'),
    )
    .addOption(
      new Option('--token <token>', "the registry's API token; the stand-in makes one up").env(
        'DJANGO_API_TOKEN',
      ),
    )
    .option('--legacy', 'a registry without the companion app: hints instead of events', false)
    .option('--data <dir>', 'where state lives and survives restarts', '.local')
    .option('--dry-run', 'plan only: nothing is published', false)
    .addOption(new Option('--approve <planid>', 'let one refused plan through').conflicts('dryRun'))
    .addOption(
      new Option(
        '--scenario <name>',
        'play a tour after the run, then stop; 1 if something was not as it should be. monday leaves the stack up, for an operator to try',
      )
        .choices(SCENARIO_NAMES)
        .conflicts(['dryRun', 'approve', 'django']),
    )
    .option('--operator <name>', 'who approves')
    .option('--reason <text>', 'why it is approved')
    .option(
      '--port-offset <n>',
      'add n to every port, to run beside another stack',
      wholeNumber(0, 50_000),
      0,
    )
    .option('--verbose', 'show every log line of a tour, instead of their number', false)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride((end) => process.exit(end.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.failed))
    .allowExcessArguments(false)
    .parse([...argv], { from: 'user' });

  const { approve, operator, reason, ...given } = program.opts<
    Record<'approve' | 'operator' | 'reason', string | undefined> & Omit<CliOptions, 'approve'>
  >();
  const refuse: (message: string) => never = (message) => program.error(`error: ${message}`);
  if (given.django !== undefined && !given.token) {
    refuse('--django needs --token, or DJANGO_API_TOKEN in the environment');
  }
  if (approve === undefined) {
    if (operator !== undefined || reason !== undefined) refuse('--operator and --reason go with --approve');
    return { ...given, approve };
  }
  if (!/^[0-9a-f]{64}$/.test(approve)) refuse('--approve takes the 64 digits of a plan id from a dry run');
  if (operator === undefined || reason === undefined)
    return refuse('--approve needs --operator and --reason');
  for (const [name, text] of Object.entries({ operator, reason })) {
    // They are kept for a year; and the shell's history has the number already.
    if (holdsKennitala(text)) refuse(`--${name} is kept: in words, without anybody's number`);
  }
  return { ...given, approve: { planId: approve, operator, reason } };
};

const httpUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new InvalidArgumentError('It takes an address such as https://registry.example.is/felagar.');
  }
  return text;
};

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
    }
    return value;
  };
