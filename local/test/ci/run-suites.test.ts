import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

interface Ended {
  readonly code: number;
  readonly summary: string[];
  readonly stdout: string;
}

/** Runs a list of suites as CI does: the exit code, and the lines of the summary at its end. */
const runSuites = async (list: readonly string[]): Promise<Ended> => {
  const folder = await mkdtemp(join(tmpdir(), 'suites-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const file = join(folder, 'suites');
  await writeFile(file, `# a comment\n\n${list.join('\n')}\n`);
  return new Promise((resolve) => {
    const env = { ...process.env, SUITES: file };
    execFile(join(ROOT, '.ci/run-suites'), [file], { cwd: folder, env }, (error, stdout) => {
      const summary = stdout.trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
      resolve({ code: error === null ? 0 : Number(error.code), summary, stdout });
    });
  });
};

it('the totals of all suites are added up in the last line', async () => {
  const { code, summary } = await runSuites([
    'one | 1 | last-line | echo "3 passed, 0 failed"',
    'two | 1 | last-line | echo "4 passed, 0 failed, 2 skipped"',
  ]);
  expect(summary.at(-1)).toBe('7 passed, 0 failed, 2 skipped');
  expect(code).toBe(0);
});

it('a suite that fails, crashes, is missing, hangs or runs nothing is a failure, and the next ones still run', async () => {
  const { code, summary } = await runSuites([
    'failing | 1    | last-line | echo "3 passed, 2 failed"; exit 1',
    'crashed | 1    | last-line | echo "3 passed, 0 failed"; exit 3',
    'missing | 1    | vitest    | ./no-such-suite',
    'hanging | 0.01 | last-line | echo "9 passed, 0 failed"; cat; sleep 60',
    'empty   | 1    | last-line | echo "0 passed, 0 failed"',
    'sound   | 1    | last-line | echo "1 passed, 0 failed"',
  ]);
  expect(summary.map((line) => line.replace(/ in \d+ s/, ''))).toEqual([
    '== failing: 3 passed, 2 failed, 0 skipped (second attempt; in the first 2 failed)',
    '== crashed: 3 passed, 1 failed, 0 skipped (exit code 3) (second attempt; in the first 1 failed: exit code 3)',
    '== missing: 0 passed, 1 failed, 0 skipped (no results, exit code 127) (second attempt; in the first 1 failed: no results, exit code 127)',
    '== hanging: 9 passed, 1 failed, 0 skipped (its time limit passed) (second attempt; in the first 1 failed: its time limit passed)',
    '== empty: 0 passed, 1 failed, 0 skipped (no test ran) (second attempt; in the first 1 failed: no test ran)',
    '== sound: 1 passed, 0 failed, 0 skipped',
    '16 passed, 6 failed, 0 skipped',
  ]);
  expect(code).toBe(1);
});

it('a suite that fails and then passes has passed, and its line and the list of failures say so', async () => {
  const flaky =
    'test -e tried || { touch tried; echo "E  no answer in time"; echo "1 passed, 1 failed"; exit 1; }';
  const { code, summary, stdout } = await runSuites([
    `flaky | 1 | last-line | cd "$(dirname "$SUITES")" && { ${flaky}; echo "2 passed, 0 failed"; }`,
  ]);
  expect(summary[0]).toMatch(
    /^== flaky: 2 passed, 0 failed, 0 skipped in \d+ s \(second attempt; in the first 1 failed\)$/,
  );
  expect(stdout).toContain('What failed:\n-- flaky:\nE  no answer in time\n');
  expect([code, summary.at(-1)]).toEqual([0, '2 passed, 0 failed, 0 skipped']);
});

it('what failed is told once more before the summary, unhandled errors too', async () => {
  const { stdout, code } = await runSuites([
    'failing   | 1 | last-line | printf " FAIL  |unit| a.test.ts > adds\\nAssertionError: 1 is not 2\\n"; exit 1',
    'unhandled | 1 | last-line | printf "Unhandled Rejection\\nError: nobody waited\\n2 passed, 0 failed\\n"; exit 1',
    'sound     | 1 | last-line | echo "Unhandled Rejection as a word"; echo "1 passed, 0 failed"',
  ]);
  const told = stdout.slice(stdout.indexOf('What failed:'), stdout.lastIndexOf('\n\n'));
  expect(told.split('\n')).toEqual(
    [
      'What failed:',
      ...Array.from({ length: 2 }, () => [
        '-- failing:',
        ' FAIL  |unit| a.test.ts > adds',
        'AssertionError: 1 is not 2',
      ]),
      ...Array.from({ length: 2 }, () => [
        '-- unhandled:',
        'Unhandled Rejection',
        'Error: nobody waited',
        '2 passed, 0 failed',
      ]),
    ].flat(),
  );
  expect(code).toBe(1);
});

it('a list without suites is a failure', async () => {
  expect(await runSuites([])).toMatchObject({ code: 1 });
});
