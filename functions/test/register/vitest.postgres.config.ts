import { defineConfig } from 'vitest/config';

/** The suites of the register, which `npm test` runs on PGlite, on a PostgreSQL 15 of their own. */
export default defineConfig({
  test: {
    include: ['functions/test/register/**/*.test.ts', 'functions/test/adapters/postgres/**/*.test.ts'],
    globalSetup: ['functions/test/register/support/postgres-setup.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
