import { defineConfig } from 'vitest/config';
import { WHOLE_STACK } from './vitest.config.ts';

/** What starts the whole local stack again and again, as a person would: a minute of starting and stopping. */
export default defineConfig({
  test: {
    include: [...WHOLE_STACK],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: '100%',
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
