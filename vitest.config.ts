import { defineConfig } from 'vitest/config';

/** Suites of `npm run test:local`, which the ordinary run leaves out for its three minutes. */
export const WHOLE_STACK = [
  'local/test/cli/beside-another.test.ts',
  'local/test/cli/lifecycle.test.ts',
  'local/test/cli/refused-run.test.ts',
  'local/test/scenarios/*.test.ts',
  'local/test/functions/lifecycle.test.ts',
  'local/test/stack/*.test.ts',
  'local/test/postgres/*.test.ts',
  'local/test/ci/*.test.ts',
] as const;

export default defineConfig({
  test: {
    include: ['functions/test/**/*.test.ts', 'local/test/**/*.test.ts', 'ops/test/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      ...WHOLE_STACK,
      '**/*.long.test.ts',
      '**/*.emulator.test.ts',
      '**/*.postgres.test.ts',
      '**/*.django.test.ts',
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
