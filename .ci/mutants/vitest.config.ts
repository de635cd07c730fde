import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Job } from './job.ts';

const job: Job = JSON.parse(readFileSync(process.env['MUTANTS_JOB'] ?? '', 'utf8'));

/** The tests of one job of mutants, in one process: see `runner.ts`. */
export default defineConfig({
  root: job.root,
  plugins: [
    {
      name: 'mutants',
      enforce: 'pre',
      transform: (_code, id) => job.sources[id] ?? null,
    },
  ],
  test: {
    include: [...job.tests],
    exclude: ['**/node_modules/**', ...job.exclude],
    env: { METADATA_SERVER_DETECTION: 'none', TZ: 'UTC', STORES_IN_MEMORY: 'true' },
    pool: 'forks',
    isolate: false,
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    runner: fileURLToPath(new URL('./runner.ts', import.meta.url)),
    reporters: [{}],
    // Vitest knows what it has kept by a file's text, and not by the job that has put mutants into it.
    fsModuleCache: false,
  },
});
