import { defineConfig } from 'vitest/config';

/** Ten times the histories of the ordinary run: minutes, for a night or before a release. */
export default defineConfig({
  test: {
    include: ['functions/test/**/*.long.test.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: '100%',
    testTimeout: 1_800_000,
    hookTimeout: 60_000,
  },
});
