import { GUARD_TEXT } from '../../../functions/src/mirror/guard.ts';
import type { WireRunRecord } from '../../../functions/src/ops/schemas.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { runbookOf } from './remedies.ts';
import type { Session } from './session.ts';
import { pairLines, tableLines } from './table.ts';
import type { Paint } from './terminal.ts';
import { shownNumber, shownTime } from './text.ts';

/** Runs, one a line: what happened, not to whom. */
export const runsLines = (runs: readonly WireRunRecord[], paint: Paint): string[] =>
  tableLines(
    [
      { head: 'started', width: 16 },
      { head: 'run', width: 25 },
      { head: 'mirror', width: 8 },
      { head: 'outcome', width: 9 },
      { head: 'changes', width: 14, align: 'right' },
    ],
    runs.map((run) => [
      shownTime(run.timestamp),
      run.runId,
      run.mirror,
      paintOutcome(run, paint),
      shownChanges(run),
    ]),
  ).concat(runs.some((run) => !isDone(run) && run.changes !== null) ? [IN_BRACKETS] : []);

const IN_BRACKETS = '(in brackets: what a run would have changed, and did not)';

const isDone = ({ outcome }: WireRunRecord): boolean =>
  outcome === 'published' || outcome === 'unchanged' || outcome === 'partial';

const shownChanges = (run: WireRunRecord): string => {
  if (run.changes === null) return '-';
  const text = `+${shownNumber(run.changes.added)} -${shownNumber(run.changes.removed)}`;
  return isDone(run) ? text : `(${text})`;
};

/** All that is known of one run, without members. */
export const runLines = (run: WireRunRecord, paint: Paint): string[] => [
  paint('bold', headlineOf(run)),
  ...pairLines(factsOf(run)),
];

/** What to do next about a plan that was not applied; none for a run that ended otherwise. */
export const nextLines = (run: WireRunRecord, { commandLine }: Pick<Session, 'commandLine'>): string[] => {
  if (run.planId === null) return [];
  if (isEqual(run)) return [];
  if (isRefused(run)) {
    return ['', 'If it is right, let exactly this plan through:', `  ${approvalOf(run, commandLine)}`];
  }
  return run.outcome === 'dry-run' ? ['', 'To do it:', `  ${commandLine(repeatOf(run))}`] : [];
};

/** Exit code of a run that was asked for. */
export const exitCodeOf = (run: WireRunRecord): ExitCode => {
  if (isRefused(run)) return EXIT_CODES.blocked;
  const isDone = run.outcome === 'published' || run.outcome === 'unchanged' || run.outcome === 'dry-run';
  return isDone ? EXIT_CODES.done : EXIT_CODES.failed;
};

/** A plan without differences: nothing to do, and nothing to approve. */
const isEqual = ({ outcome, changes, guard }: WireRunRecord): boolean =>
  outcome === 'dry-run' &&
  guard?.tripped !== true &&
  changes !== null &&
  changes.added + changes.removed + changes.updated === 0;

export const isRefused = ({ outcome, guard }: WireRunRecord): boolean =>
  outcome === 'blocked' || (outcome === 'dry-run' && guard?.tripped === true);

const approvalOf = (run: WireRunRecord, commandLine: Session['commandLine']): string =>
  commandLine(`approve ${run.mirror} ${run.planId} --operator NAME --reason TEXT`);

const repeatOf = (run: WireRunRecord): string =>
  run.rollbackOf === null ? `sync ${run.mirror}` : `rollback ${run.rollbackOf} --reason TEXT`;

const paintOutcome = ({ outcome, status }: WireRunRecord, paint: Paint): string => {
  const text = outcome ?? status;
  if (outcome === 'failed' || outcome === 'blocked') return paint('red', text);
  return outcome === 'partial' || outcome === null ? paint('yellow', text) : text;
};

const headlineOf = (run: WireRunRecord): string => {
  const differences = differencesOf(run);
  switch (run.outcome) {
    case 'published':
      return `Published: ${differences}`;
    case 'unchanged':
      return `Unchanged: the ${run.mirror} is equal to its source`;
    case 'blocked':
      return `Blocked: nothing was changed; asked for were ${differences}`;
    case 'dry-run':
      return run.guard?.tripped === true
        ? `The guard would refuse this: ${differences}`
        : isEqual(run)
          ? `No difference: the ${run.mirror} is equal to its source, and a run would change nothing`
          : `This would change: ${differences}`;
    case 'partial':
      return `Half done: ${differences} asked for; the next run goes on`;
    case 'skipped':
      return 'Skipped: nothing was done';
    case 'failed':
      return 'Failed: nothing is known to be changed';
    case null:
      return 'Not ended: it runs, or its process died';
    default: {
      const never: never = run.outcome;
      return never;
    }
  }
};

const differencesOf = ({ changes }: WireRunRecord): string =>
  changes === null
    ? 'not counted'
    : `${shownNumber(changes.added)} added, ${shownNumber(changes.removed)} removed, ${shownNumber(changes.updated)} updated`;

const factsOf = (run: WireRunRecord): [string, string][] => {
  const given = (name: string, text: string | null): [string, string][] =>
    text === null ? [] : [[name, text]];
  const { changes, missedEvents: missed } = run;
  return [
    ['run', run.runId],
    ['mirror', run.mirror],
    ['started', `${shownTime(run.timestamp)} by ${run.requestedBy ?? run.trigger}`],
    ...given('took', run.durationMs === null ? null : `${shownNumber(run.durationMs)} ms`),
    ...given('members', run.memberCount === null ? null : shownNumber(run.memberCount)),
    ...given('unreadable', changes?.quarantined ? shownNumber(changes.quarantined) : null),
    ...given(
      'missed',
      missed === null
        ? null
        : `${shownNumber(missed.created + missed.updated + missed.deleted)} events never came`,
    ),
    ...(run.guard?.findings ?? []).map(({ rule, field, count, allowed }): [string, string] => [
      'guard',
      `${shownNumber(count)} ${GUARD_TEXT[rule]}${field === undefined ? '' : ` (${field})`}; allowed are ${shownNumber(allowed)}`,
    ]),
    ...run.warnings.map(({ message }): [string, string] => ['warning', message]),
    ...given('why', run.errorCode === null ? null : `${run.errorCode}: ${run.error}`),
    ...given('what to do', run.errorCode === null ? null : runbookOf(run.errorCode)),
    ...given('rolled back', run.rollbackOf === null ? null : `to version ${run.rollbackOf}`),
    ...given('version', run.objectGeneration),
    ...given('replaced', run.outcome === 'published' ? run.previousGeneration : null),
    ...given('approved by', run.approvedBy === null ? null : whoOf(run.requestedBy, run.approvedBy)),
    ...given('reason', run.reason),
    ...given('plan', run.planId),
  ];
};

/** The proved identity decides who it was; the name is what they typed. */
export const whoOf = (identity: string | null, typedName: string | null): string => {
  const who = identity ?? 'somebody unknown';
  return typedName === null ? who : `${who}, who typed "${typedName}"`;
};
