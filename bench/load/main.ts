import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchOptions, BenchReport } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';

const ROUNDS = 25;
const RATIO_AT_MOST = 0.2;
const FUNCTIONS_FOLDER = fileURLToPath(new URL('../../functions', import.meta.url));

const MODULES = {
  baseline: ['firebase-functions', 'firebase-admin/app'],
  deployed: ['./lib/index.js'],
} as const;

/** Loading the module that every function deploys, against its two SDKs alone; fresh processes, alternating. */
export default async ({ rounds, note }: BenchOptions): Promise<BenchReport> => {
  const samples: Record<keyof typeof MODULES, number[]> = { baseline: [], deployed: [] };
  note('loading modules…');
  for (let round = 0; round < (rounds ?? ROUNDS); round += 1) {
    samples.baseline.push(await measureLoading(MODULES.baseline));
    samples.deployed.push(await measureLoading(MODULES.deployed));
  }
  const [baseline, deployed] = [median(samples.baseline), median(samples.deployed)];
  return {
    tables: [
      {
        title: 'median milliseconds to load',
        columns: ['module', 'ms', 'ratio'],
        rows: [
          ['firebase-functions and firebase-admin/app', baseline.toFixed(1), '1.00'],
          ['the deployed module', deployed.toFixed(1), (deployed / baseline).toFixed(2)],
        ],
      },
    ],
    goals: [
      {
        what: 'loading the deployed module for one function',
        measured: deployed / baseline,
        atMost: RATIO_AT_MOST,
        unit: '×',
      },
    ],
    samples,
  };
};

/**
 * Milliseconds from before the first import to after the last, in a process of its own. Node's start is not counted, nor is its HTTP:
 * the framework that loads a function serves by it.
 */
const measureLoading = async (specifiers: readonly string[]): Promise<number> => {
  const imports = specifiers.map((specifier) => `await import(${JSON.stringify(specifier)});`).join('');
  const program = `await import('node:http'); const before = performance.now(); ${imports} console.log(performance.now() - before);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: FUNCTIONS_FOLDER,
    env: { FUNCTION_TARGET: 'syncMemberList', GCLOUD_PROJECT: 'demo-ekklesia' },
  });
  return Number(stdout);
};
