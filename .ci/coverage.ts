import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How much of the functions and of the registry's companion app their own suites reach. Prints lines and branches of both, what no
 * test reaches of the functions, and fails below the limits. `--functions` or `--companion` measures one of the two.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, 'coverage');
/** Percent. */
const REQUIRED = { lines: 95, branches: 90 } as const;
/**
 * The suites that run the sources in vitest's own process. Those that start the build as a process (framework, local, emulator,
 * browser) reach more, which nobody counts; `postgres` runs the register's once more.
 */
const PROJECTS = ['unit', 'stacks'];

interface Count {
  readonly covered: number;
  readonly total: number;
}
interface Coverage {
  readonly lines: Count;
  readonly branches: Count;
}

const measureFunctions = (): Coverage => {
  const report = join(FOLDER, 'functions/coverage-summary.json');
  run(
    'npx',
    [
      'vitest',
      'run',
      ...PROJECTS.flatMap((project) => ['--project', project]),
      'functions/test',
      '--coverage.enabled',
      // Counters in the sources that are measured. V8's own counting slows everything that runs, to a fifth.
      '--coverage.provider=istanbul',
      '--coverage.include=functions/src/**/*.ts',
      '--coverage.reporter=json-summary',
      '--coverage.reporter=html',
      '--coverage.reporter=text',
      '--coverage.skipFull',
      `--coverage.reportsDirectory=${join(FOLDER, 'functions')}`,
    ],
    report,
  );
  const { total } = JSON.parse(readFileSync(report, 'utf8'));
  return { lines: total.lines, branches: total.branches };
};

const measureCompanion = (): Coverage => {
  const report = join(FOLDER, 'companion.json');
  run('django/run-tests', [], report, { COVERAGE: report });
  const { totals } = JSON.parse(readFileSync(report, 'utf8'));
  return {
    lines: { covered: totals.covered_lines, total: totals.num_statements },
    branches: { covered: totals.covered_branches, total: totals.num_branches },
  };
};

/** Throws where the suite failed or wrote no report: a part of a suite says nothing. */
const run = (
  command: string,
  args: readonly string[],
  report: string,
  env: Record<string, string> = {},
): void => {
  rmSync(report, { force: true });
  const { status } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0)
    throw new Error(`${command} ended with status ${status}: no coverage of tests that fail.`);
  if (!existsSync(report)) throw new Error(`${command} wrote no report to ${report}.`);
};

const percent = ({ covered, total }: Count): number => (total === 0 ? 0 : (100 * covered) / total);

/** The companion app comes last and after a long time: what it needs is asked for first. */
const requireCoveragePy = (): void => {
  const python = process.env['PYTHON'] ?? '/usr/bin/python3';
  if (spawnSync(python, ['-c', 'import coverage']).status === 0) return;
  throw new Error(
    `${python} has no coverage.py, which measures django/ekklesia_sync. On Debian: apt-get install python3-coverage. ` +
      'Or measure the functions alone: npm run test:coverage -- --functions.',
  );
};

const main = (only: string | undefined): void => {
  const parts = [
    { flag: '--functions', name: 'functions/src', measure: measureFunctions },
    { flag: '--companion', name: 'django/ekklesia_sync', measure: measureCompanion },
  ].filter(({ flag }) => only === undefined || only === flag);
  if (parts.length === 0) throw new Error(`${only} is neither --functions nor --companion.`);
  if (only !== '--functions') requireCoveragePy();
  const rows: string[] = [];
  for (const { name, measure } of parts) {
    const coverage = measure();
    for (const kind of ['lines', 'branches'] as const) {
      const { covered, total } = coverage[kind];
      const isEnough = percent(coverage[kind]) >= REQUIRED[kind];
      if (!isEnough) process.exitCode = 1;
      const verdict = isEnough ? '' : `, below ${REQUIRED[kind]}%`;
      rows.push(
        `${name.padEnd(22)}${kind.padEnd(10)}${percent(coverage[kind]).toFixed(2)}%  ${covered} of ${total}${verdict}`,
      );
    }
  }
  console.log(['', ...rows].join('\n'));
};

try {
  main(process.argv[2]);
} catch (cause) {
  console.error(`test:coverage: ${cause instanceof Error ? cause.message : cause}`);
  process.exitCode = 1;
}
