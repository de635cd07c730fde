import { expect, it } from 'vitest';
import { makeTotals } from '../../../.ci/totals.ts';

const vitestReport = (counts: object, testResults: object[] = []): string =>
  JSON.stringify({
    numPassedTests: 5,
    numFailedTests: 0,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults,
    ...counts,
  });

it.each([
  ['a green report', 0, vitestReport({}), '5 0 2 '],
  ['failed tests', 1, vitestReport({ numFailedTests: 2 }), '5 2 2 '],
  [
    'a test file that could not be loaded',
    1,
    vitestReport({}, [{ status: 'failed', assertionResults: [] }]),
    '5 1 2 ',
  ],
  [
    'a hook that failed, and a failed test beside it',
    1,
    vitestReport({ numFailedTests: 1 }, [
      { status: 'failed', assertionResults: [{ status: 'passed' }] },
      { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ]),
    '5 2 2 ',
  ],
  ['an error that no test caught', 1, vitestReport({}), '5 1 2 exit code 1'],
  ['no report', 1, null, '0 1 0 no results, exit code 1'],
  ['a report that was cut off', 0, '{"numPassedTests": 5', '0 1 0 no results, exit code 0'],
  ['a report of another kind', 0, '{"testResults": []}', '0 1 0 no results, exit code 0'],
  ['a run that was ended', 124, null, '0 1 0 its time limit passed'],
])('vitest: %s', (_name, status, report, expected) => {
  const { passed, failed, skipped, why } = makeTotals('vitest', status, report);
  expect(`${passed} ${failed} ${skipped} ${why}`).toBe(expected);
});

it.each([
  ['vitest', '0 1 2 no test ran'],
  ['original', '0 0 2 '],
])('%s: a report of skipped tests alone', (kind, expected) => {
  const { passed, failed, skipped, why } = makeTotals(kind, 0, vitestReport({ numPassedTests: 0 }));
  expect(`${passed} ${failed} ${skipped} ${why}`).toBe(expected);
});

it.each([
  ['OK\n12 passed, 0 failed, 3 skipped\n', 0, '12 0 3 '],
  ['12 passed, 0 failed\n', 0, '12 0 0 '],
  ['12 passed, 0 failed\nSegmentation fault\n', 139, '0 1 0 no results, exit code 139'],
  ['', 2, '0 1 0 no results, exit code 2'],
  ['no root\n0 passed, 0 failed, 1 skipped\n', 0, '0 0 1 '],
  ['0 passed, 0 failed, 0 skipped\n', 0, '0 1 0 no test ran'],
  ['0 passed, 0 failed, 1 skipped\n', 1, '0 1 1 exit code 1'],
])('last line of %j', (text, status, expected) => {
  const { passed, failed, skipped, why } = makeTotals('last-line', status, text);
  expect(`${passed} ${failed} ${skipped} ${why}`).toBe(expected);
});
