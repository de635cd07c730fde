import { defineConfig } from 'vitest/config';
import { COMMAND_LINE_SUITES, START_SUITES } from './vitest.config.ts';

/** The local stack's own suites (its servers against the real clients, its command line, its tours) and the operators' command line. */
export default defineConfig({
  test: {
    include: ['local/test/**/*.test.ts', ...COMMAND_LINE_SUITES],
    exclude: ['**/node_modules/**', '**/*.django.test.ts', ...START_SUITES],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC' },
    pool: 'forks',
    maxWorkers: '100%',
    // A machine of CI that stalls for a second must not fail the whole run; what was tried again is shown.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
