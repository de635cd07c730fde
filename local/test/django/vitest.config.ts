import { defineConfig } from 'vitest/config';

/** The end-to-end suite: a real Django server on a real PostgreSQL, our functions, nothing mocked. */
export default defineConfig({
  test: {
    include: ['local/test/django/*.django.test.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
