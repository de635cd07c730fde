import { ERROR_CODES } from '../../../functions/src/lib/errors.ts';
import type { HealthReason, StatusAnswer, TwoWayReason } from '../../../functions/src/ops/schemas.ts';

/** Where a failure is explained, with its remedy; nothing for a code that is none of this project's. */
export const runbookOf = (code: string): string | null =>
  Object.hasOwn(ERROR_CODES, code) ? `docs/runbook.md#${code}` : null;

export interface Remedy {
  /** Which mirror, or the way back. */
  readonly where: string;
  readonly why: string;
  readonly todo: string;
  /** A command of this tool, without the place it works on. */
  readonly command: string;
}

type Facts = Pick<StatusAnswer['mirrors'][number], 'mirror' | 'lastRun'>;
type Step = Pick<Remedy, 'todo' | 'command'>;

const showRun = ({ mirror, lastRun }: Facts): string =>
  lastRun === null ? `runs --mirror ${mirror}` : `runs show ${lastRun.runId}`;

const ABOUT_MIRRORS: Record<HealthReason, (facts: Facts) => Step> = {
  never_run: ({ mirror }) => ({ todo: 'see what its first run would change', command: `plan ${mirror}` }),
  overdue: ({ mirror }) => ({ todo: 'see what its runs said', command: `runs --mirror ${mirror}` }),
  last_run_failed: (facts) => ({ todo: 'see why; the runbook has each code', command: showRun(facts) }),
  last_run_blocked: ({ mirror }) => ({
    todo: 'see what would change, and how to let it through',
    command: `plan ${mirror}`,
  }),
  last_run_partial: ({ mirror }) => ({ todo: 'the next run goes on; or now', command: `sync ${mirror}` }),
  run_crashed: ({ mirror }) => ({ todo: 'the next run cleans up; or now', command: `sync ${mirror}` }),
  paused: ({ mirror }) => ({
    todo: 'when the reason is gone',
    command: `resume ${mirror} --reason TEXT`,
  }),
  paused_too_long: ({ mirror }) => ({
    todo: 'longer than a week: is it still meant?',
    command: `resume ${mirror} --reason TEXT`,
  }),
  ahead_of_registry: () => ({
    todo: 'members hold a version ahead of the registry’s; see what its word would change',
    command: 'registry-word --all --dry-run',
  }),
  hints_unconfirmed: ({ mirror }) => ({
    todo: 'the reconcile decides them',
    command: `sync ${mirror}`,
  }),
};

const ABOUT_THE_WAY_BACK: Record<TwoWayReason, Step> = {
  dead_letters_waiting: {
    todo: 'mend the reason and retry each, or give it up',
    command: 'queue --status failed',
  },
  conflicts_waiting: { todo: 'decide each', command: 'conflicts' },
  queue_stuck: { todo: 'see what they wait for', command: 'queue --status pending' },
  last_sweep_failed: { todo: 'see what waits, and its last error', command: 'queue --status pending' },
};

/** What there is to do about everything that is not well, in the order of the status. */
export const remediesOf = ({ mirrors, twoWay }: StatusAnswer): Remedy[] => [
  ...mirrors.flatMap((facts) =>
    // A long pause is a pause: one line is enough.
    facts.why
      .filter((why) => why !== 'paused' || !facts.why.includes('paused_too_long'))
      .map((why) => ({ where: facts.mirror, why, ...ABOUT_MIRRORS[why](facts) })),
  ),
  ...twoWay.why.map((why) => ({ where: 'way back', why, ...ABOUT_THE_WAY_BACK[why] })),
];
