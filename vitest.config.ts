import { defineConfig } from 'vitest/config';

/** What drives a command line against whole stacks takes longest, and `npm run test:local` has it. */
export const COMMAND_LINE_SUITES = ['ops/test/cli/**/*.test.ts', 'ops/test/by-hand/**/*.test.ts'];
/** Of the local stack's suites the ordinary run has what `npm start` promises; `npm run test:local` has the rest. */
export const START_SUITES = ['local/test/cli/weekly-run.test.ts', 'local/test/cli/bad-options.test.ts'];

export default defineConfig({
  test: {
    include: [
      'functions/test/**/*.test.ts',
      'ops/test/**/*.test.ts',
      'dashboard/test/**/*.test.ts',
      ...START_SUITES,
    ],
    exclude: [
      '**/node_modules/**',
      ...COMMAND_LINE_SUITES,
      '**/*.long.test.ts',
      '**/*.browser.test.ts',
      '**/*.emulator.test.ts',
      '**/*.postgres.test.ts',
    ],
    // Google's libraries look for a metadata server otherwise, and warn when there is none.
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: '100%',
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
