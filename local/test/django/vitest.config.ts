import { defineConfig } from 'vitest/config';

/** The end-to-end suite: a real Django server on a real PostgreSQL, our functions, nothing mocked. */
export default defineConfig({
  test: {
    include: ['local/test/django/*.django.test.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
