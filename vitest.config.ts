import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whole command lines against whole stacks take longest: the `local` project has them. */
const COMMAND_LINE_SUITES = ['ops/test/cli/**/*.test.ts', 'ops/test/by-hand/**/*.test.ts'];
/** Of the local stack's suites the ordinary run has what `npm start` promises. */
const START_SUITES = ['local/test/cli/weekly-run.test.ts', 'local/test/cli/bad-options.test.ts'];
/** Each function in the platform's own program, a process each: the `framework` project has them. */
const FRAMEWORK_SUITES = ['functions/test/framework/**/*.test.ts'];

/**
 * A whole stack for each way in which a part of it fails, an operator decides or somebody rewrites a record; and the mutants of
 * the rules, which take as long. The `stacks` project has them.
 */
const STACK_SUITES = [
  'functions/test/ops/**/*.test.ts',
  'functions/test/proof/{prove,verify}.test.ts',
  'functions/test/portal/convergence-over-http.test.ts',
  'functions/test/portal/reconcile/{load,reconcile,reconcile-guard,reconcile-races}.test.ts',
  'functions/test/roster/{crashes,registry-answers}.test.ts',
  'functions/test/twoway/*-over-firestore.test.ts',
  'functions/test/register/{api,api-callers,api-examples,apply-event,compare-members,crashes,erasure,hard-values,notify,register,registry-failures}.test.ts',
  'functions/test/adapters/postgres/{make-database,migrate,own-user}.test.ts',
  'functions/test/rules/mutation/*.test.ts',
  'ops/test/deploy/{commands,deploy,deploy-failures}.test.ts',
];

/** What the file names of the longer suites end with. */
const LONGER_SUITES = ['browser', 'django', 'emulator', 'long', 'postgres', 'rehearse'].map(
  (kind) => `**/*.${kind}.test.ts`,
);

interface Project {
  readonly include: string[];
  readonly exclude?: string[];
  readonly seconds: { readonly test: number; readonly hook: number };
  /** Files share a process and what it has loaded: no file of these may leave anything behind. */
  readonly shared?: true;
  /** One file at a time, where each starts servers that are heavy or shared. */
  readonly oneByOne?: true;
  readonly globalSetup?: string[];
  readonly setupFiles?: string[];
}

const project = (
  name: string,
  { include, exclude = [], seconds, shared, oneByOne, globalSetup, setupFiles }: Project,
) =>
  ({
    test: {
      name,
      include,
      exclude: ['**/node_modules/**', ...exclude],
      // Google's libraries look for a metadata server otherwise, and warn when there is none.
      env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
      pool: 'forks',
      ...(shared && { isolate: false }),
      ...(oneByOne && { fileParallelism: false }),
      ...(globalSetup && { globalSetup }),
      ...(setupFiles && { setupFiles }),
      // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
      retry: process.env['CI'] ? 1 : 0,
      testTimeout: seconds.test * 1000,
      hookTimeout: seconds.hook * 1000,
    },
  }) satisfies TestProjectInlineConfiguration;

/** Those that take longest, the longest first: what began last would be waited for by a processor that has nothing else to do. */
const LONGEST = ['functions/test/world/world.test.ts', 'local/test/cli/weekly-run.test.ts'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return place === -1 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

/** One project a command: `npm test` runs `unit`, the others are in the README's table. */
export default defineConfig({
  test: {
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    globalSetup: ['functions/test/support/build-setup.ts'],
    projects: [
      project('unit', {
        include: [
          'functions/test/**/*.test.ts',
          'ops/test/**/*.test.ts',
          'dashboard/test/**/*.test.ts',
          ...START_SUITES,
        ],
        exclude: [...COMMAND_LINE_SUITES, ...FRAMEWORK_SUITES, ...STACK_SUITES, ...LONGER_SUITES],
        // Loading Google's libraries for each of 150 files would take as long as the tests.
        shared: true,
        // Far more than any needs: a busy machine is no fault.
        seconds: { test: 120, hook: 120 },
      }),
      project('stacks', {
        include: STACK_SUITES,
        exclude: LONGER_SUITES,
        seconds: { test: 120, hook: 120 },
      }),
      project('local', {
        include: ['local/test/**/*.test.ts', ...COMMAND_LINE_SUITES],
        exclude: [...LONGER_SUITES, ...START_SUITES],
        seconds: { test: 120, hook: 120 },
      }),
      project('framework', { include: FRAMEWORK_SUITES, seconds: { test: 90, hook: 90 } }),
      // 10,000 histories of each property: minutes, for a night or before a release.
      project('long', { include: ['functions/test/**/*.long.test.ts'], seconds: { test: 1800, hook: 60 } }),
      // A real Django server on a real PostgreSQL, our functions, nothing mocked.
      project('django', {
        include: ['local/test/django/*.django.test.ts'],
        seconds: { test: 60, hook: 120 },
      }),
      // The register's suites, which `unit` runs on PGlite, on a PostgreSQL of their own.
      project('postgres', {
        include: ['functions/test/register/**/*.test.ts', 'functions/test/adapters/postgres/**/*.test.ts'],
        globalSetup: ['functions/test/register/support/postgres-setup.ts'],
        seconds: { test: 30, hook: 60 },
      }),
      // The first start installs firebase-tools.
      project('emulator', {
        include: ['functions/test/emulator/**/*.emulator.test.ts'],
        oneByOne: true,
        seconds: { test: 60, hook: 600 },
      }),
      // What meets Firestore, on the official emulator where it is installed; skipped, and counted, elsewhere.
      project('official', {
        include: [
          'functions/test/rules/**/*.emulator.test.ts',
          'functions/test/contract/{portal-stores,run-store}.test.ts',
          'local/test/firestore/{listeners,queries,reads,second-process,transactions,writes}.test.ts',
        ],
        globalSetup: ['functions/test/support/official-setup.ts'],
        setupFiles: ['functions/test/support/skip-without-official.ts'],
        seconds: { test: 60, hook: 60 },
      }),
      // The real firebase-tools and gcloud, which is not quick: minutes a step on a busy machine.
      project('rehearse', {
        include: ['ops/test/rehearse/**/*.rehearse.test.ts'],
        seconds: { test: 1800, hook: 600 },
      }),
      project('browser', {
        include: ['dashboard/test/**/*.browser.test.ts'],
        oneByOne: true,
        seconds: { test: 240, hook: 240 },
      }),
    ],
  },
});
