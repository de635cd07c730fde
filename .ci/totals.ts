import { readFileSync } from 'node:fs';

/** What one suite came to. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why a failure was added that no test reported. */
  readonly why: string;
}

const TIME_LIMIT_STATUSES = [124, 137];
const LAST_LINE = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/;

/**
 * The totals of a suite from its report and exit status. A suite that failed without a failed test, or succeeded
 * without a single one, counts as one failure: it crashed, ran out of time, or found no tests. Of the kind `original`, and
 * of a script, all may be skipped: a machine may lack what they need.
 */
export const makeTotals = (kind: string, status: number, report: string | null): Totals => {
  const read = report === null ? null : kind === 'last-line' ? tryLastLine(report) : tryVitest(report);
  const { passed, failed, skipped } = read ?? { passed: 0, failed: 0, skipped: 0 };
  if (failed > 0) return { passed, failed, skipped, why: '' };
  const why = reasonToFail(status, read !== null, kind === 'vitest' ? passed : passed + skipped);
  return { passed, failed: why === '' ? 0 : 1, skipped, why };
};

type Counts = Omit<Totals, 'why'>;

const reasonToFail = (status: number, hasReport: boolean, counted: number): string => {
  if (TIME_LIMIT_STATUSES.includes(status)) return 'its time limit passed';
  if (!hasReport) return `no results, exit code ${status}`;
  if (status !== 0) return `exit code ${status}`;
  return counted === 0 ? 'no test ran' : '';
};

/** vitest's JSON report. A file that could not be loaded, or whose hook failed, has no failed test, so it counts by itself. */
const tryVitest = (text: string): Counts | null => {
  try {
    const report = JSON.parse(text);
    const broken = report.testResults.filter(
      (file: { status: string; assertionResults: { status: string }[] }) =>
        file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
    ).length;
    const counts = {
      passed: report.numPassedTests,
      failed: report.numFailedTests + broken,
      skipped: report.numPendingTests + report.numTodoTests,
    };
    return Object.values(counts).every(Number.isInteger) ? counts : null;
  } catch {
    return null;
  }
};

const tryLastLine = (text: string): Counts | null => {
  const found = LAST_LINE.exec(text.trimEnd().split('\n').at(-1) ?? '');
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
};

const tryRead = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
};

if (import.meta.main) {
  const [kind = '', status = '', file = ''] = process.argv.slice(2);
  const { passed, failed, skipped, why } = makeTotals(kind, Number(status), tryRead(file));
  console.log(`${passed} ${failed} ${skipped} ${why}`);
}
