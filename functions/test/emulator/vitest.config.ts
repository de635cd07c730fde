import { defineConfig } from 'vitest/config';

/** The functions inside the official Functions emulator; the ordinary configuration leaves `*.emulator.test.ts` out. */
export default defineConfig({
  test: {
    include: ['functions/test/emulator/**/*.emulator.test.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    // Every file starts an emulator of its own.
    fileParallelism: false,
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    // The first start downloads firebase-tools.
    hookTimeout: 600_000,
  },
});
