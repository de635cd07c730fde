import { defineConfig } from 'vitest/config';

/** The table of cases on the official emulator; the ordinary configuration leaves `*.emulator.test.ts` out. */
export default defineConfig({
  test: {
    include: ['functions/test/rules/**/*.emulator.test.ts'],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    // The cases share one emulator and clear it in between.
    fileParallelism: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
