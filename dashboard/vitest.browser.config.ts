import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['test/**/*.browser.test.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: 1,
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
