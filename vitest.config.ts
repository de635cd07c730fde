import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['functions/test/**/*.test.ts', 'local/test/**/*.test.ts', 'ops/test/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      '**/*.long.test.ts',
      '**/*.emulator.test.ts',
      '**/*.postgres.test.ts',
      '**/*.django.test.ts',
    ],
    // Google's libraries look for a metadata server otherwise, and warn when there is none.
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
