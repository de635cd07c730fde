import { ERROR_CODES } from '../../../functions/src/lib/errors.ts';
import type { FindingCode, StatusAnswer, StatusFinding } from '../../../functions/src/ops/schemas.ts';
import { asWords, shownNumber } from './text.ts';

/** Where a failure is explained, with its remedy; nothing for a code that is none of this project's. */
export const runbookOf = (code: string): string | null =>
  Object.hasOwn(ERROR_CODES, code) ? `docs/runbook.md#${code}` : null;

export interface Remedy {
  /** Which mirror, the way back, or the record. */
  readonly where: string;
  readonly why: string;
  readonly since: string | null;
  readonly todo: string;
  /** A command of this tool, without the place it works on. */
  readonly command: string;
}

const TODO: Record<FindingCode, string> = {
  never_run: 'see what its first run would change',
  overdue: 'see what its runs said',
  last_run_failed: 'see why; the runbook has each code',
  last_run_blocked: 'see what would change, and how to let it through',
  last_run_partial: 'the next run goes on; or now',
  run_crashed: 'the next run cleans up; or now',
  paused: 'when the reason is gone',
  paused_too_long: 'longer than a week: is it still meant?',
  counts_differ: 'see what a run would change',
  dead_letters_waiting: 'mend the reason and retry each, or give it up',
  conflicts_waiting: 'decide each',
  queue_stuck: 'see what they wait for',
  last_sweep_failed: 'see what waits, and its last error',
  ahead_of_registry: 'members hold a version ahead of the registry’s; see what its word would change',
  hints_unconfirmed: 'the reconcile decides them',
  not_proved: 'look again now; the runbook says what each answer means',
  chain_broken: 'somebody changed the record or a list; keep what this says before anything is mended',
};

/** What there is to do about everything that is not well, the gravest first. */
export const remediesOf = ({ findings }: Pick<StatusAnswer, 'findings'>): Remedy[] =>
  findings.map(({ code, mirror, since, numbers, command }) => ({
    where: mirror ?? (code === 'chain_broken' ? 'record' : 'way back'),
    why: [asWords(code), numbersText(code, numbers)].filter((text) => text !== '').join(' '),
    since,
    todo: TODO[code],
    command,
  }));

const numbersText = (code: FindingCode, numbers: StatusFinding['numbers']): string => {
  const { members, registry, removed, before, count } = numbers;
  if (code === 'counts_differ')
    return `(${shownNumber(members)} here, ${shownNumber(registry)} in the registry)`;
  if (removed !== undefined) return `(it would remove ${shownNumber(removed)} of ${shownNumber(before)})`;
  return count === undefined ? '' : `(${shownNumber(count)})`;
};
