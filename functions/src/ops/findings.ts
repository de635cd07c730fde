import type { MirrorName, RunRecord } from '../mirror/mirror.ts';
import { UNPROVED_SECONDS } from '../proof/prove.ts';
import type { DifferenceReason, HealthReason, MirrorStatus, StatusAnswer, StatusFinding } from './schemas.ts';

type Judged = Omit<MirrorStatus, 'agreement'>;
type Agreement = MirrorStatus['agreement'];
type Registry = NonNullable<StatusAnswer['registry']>;

const MINUTE = 60;

/** How long an event may take to reach a mirror: the roster's window and run, the portal's retries, the register's hour. */
const CATCH_UP_SECONDS: Readonly<Record<MirrorName, number>> = {
  roster: 10 * MINUTE,
  portal: 10 * MINUTE,
  register: 75 * MINUTE,
};

export interface AgreementInput {
  readonly status: Judged;
  readonly registry: Registry | null;
  /** The guard refused the very run that counted the registry: its number is in doubt, and a finding by itself. */
  readonly isRegistryInDoubt: boolean;
  /** When the mirror had so many members; null: not known. */
  readonly countedAt: Date | null;
  readonly now: Date;
  /** Asked only where nothing else explains a difference. */
  readonly eventsSince: (from: Date) => Promise<number>;
}

/**
 * Whether a mirror has as many members as the registry, and if not, whether that is explained. Events explain a
 * difference when as many came as it is large: since the registry was counted where the mirror's number is the newer
 * one, and otherwise within the time that the mirror needs to catch up.
 */
export const judgeAgreement = async (input: AgreementInput): Promise<Agreement> => {
  const { status, registry, countedAt, now, eventsSince } = input;
  if (status.healthy === null || status.members === null || registry === null) {
    return { state: 'unknown', difference: null, because: null };
  }
  const difference = status.members - registry.count;
  if (difference === 0) return { state: 'equal', difference, because: null };
  const because = input.isRegistryInDoubt ? 'blocked' : explanationOf(status);
  if (because !== null) return { state: 'explained', difference, because };
  const registryAt = new Date(registry.at);
  const since =
    countedAt !== null && countedAt > registryAt
      ? registryAt
      : new Date(
          Math.max(countedAt?.getTime() ?? 0, now.getTime() - CATCH_UP_SECONDS[status.mirror] * 1_000),
        );
  return (await eventsSince(since)) >= Math.abs(difference)
    ? { state: 'explained', difference, because: 'recent_events' }
    : { state: 'differs', difference, because: null };
};

const explanationOf = ({ paused, running, lastRun }: Judged): DifferenceReason | null => {
  if (paused !== null) return 'paused';
  if (running !== null) return 'run_under_way';
  if (lastRun?.outcome === 'blocked') return 'blocked';
  return lastRun?.outcome === 'partial' ? 'partial' : null;
};

export interface FindingsInput
  extends Pick<StatusAnswer, 'at' | 'mirrors' | 'twoWay' | 'registry' | 'portal' | 'proof' | 'verified'> {
  /** The records of the last runs that the guard refused. */
  readonly blocked: ReadonlyMap<MirrorName, Pick<RunRecord, 'changes'>>;
}

/** Everything that needs a person, the gravest first, as data. Pure. */
export const makeFindings = ({
  at,
  mirrors,
  twoWay,
  registry,
  portal,
  proof,
  verified,
  blocked,
}: FindingsInput): StatusFinding[] => {
  const ofMirrors = mirrors.flatMap((status) => [
    ...status.why
      // A long pause is a pause: one finding is enough.
      .filter((why) => why !== 'paused' || !status.why.includes('paused_too_long'))
      .map((why) => ofReason(why, status, at, portal, blocked.get(status.mirror) ?? null)),
    ...(status.agreement.state === 'differs' ? [ofDifference(status, registry)] : []),
  ]);
  return [...ofMirrors, ...ofProof(proof, at), ...ofRecord(verified), ...ofTwoWay(twoWay)].toSorted(
    (one, other) => Number(other.severity === 'error') - Number(one.severity === 'error'),
  );
};

const SEVERITY: Readonly<Record<HealthReason, StatusFinding['severity']>> = {
  never_run: 'warning',
  overdue: 'error',
  last_run_failed: 'error',
  last_run_blocked: 'error',
  last_run_partial: 'warning',
  run_crashed: 'error',
  paused: 'warning',
  paused_too_long: 'error',
  ahead_of_registry: 'error',
  hints_unconfirmed: 'warning',
};

const ofReason = (
  code: HealthReason,
  status: MirrorStatus,
  at: string,
  portal: StatusAnswer['portal'],
  blocked: Pick<RunRecord, 'changes'> | null,
): StatusFinding => {
  const { mirror, lastRun, lastSuccess, paused, ageSeconds, schedule } = status;
  const isOfRun = code === 'last_run_failed' || code === 'last_run_blocked' || code === 'last_run_partial';
  const overdueSeconds = (ageSeconds ?? 0) - schedule.overdueAfterSeconds;
  const since = {
    never_run: null,
    overdue: new Date(Date.parse(at) - overdueSeconds * 1_000).toISOString(),
    last_run_failed: lastRun?.at ?? null,
    last_run_blocked: lastRun?.at ?? null,
    last_run_partial: lastRun?.at ?? null,
    run_crashed: lastRun?.at ?? lastSuccess?.at ?? null,
    paused: paused?.since ?? null,
    paused_too_long: paused?.since ?? null,
    ahead_of_registry: null,
    hints_unconfirmed: portal.oldestUnconfirmedHintAt,
  }[code];
  const changes = code === 'last_run_blocked' ? (blocked?.changes ?? null) : null;
  return {
    code,
    severity: SEVERITY[code],
    mirror,
    since,
    runId: isOfRun ? (lastRun?.runId ?? null) : null,
    errorCode: isOfRun ? (lastRun?.errorCode ?? null) : null,
    numbers:
      changes === null
        ? countsOf(code, portal)
        : {
            added: changes.added,
            removed: changes.removed,
            updated: changes.updated,
            before: changes.unchanged + changes.updated + changes.removed,
          },
    command: commandOf(code, status),
  };
};

const countsOf = (code: HealthReason, portal: StatusAnswer['portal']): StatusFinding['numbers'] => {
  if (code === 'ahead_of_registry') return { count: portal.aheadOfRegistry };
  return code === 'hints_unconfirmed' ? { count: portal.unconfirmedHints } : {};
};

const commandOf = (code: HealthReason, { mirror, lastRun }: MirrorStatus): string => {
  switch (code) {
    case 'never_run':
      return `plan ${mirror}`;
    case 'overdue':
      return `runs --mirror ${mirror}`;
    case 'last_run_blocked':
    case 'last_run_failed':
      return lastRun === null ? `runs --mirror ${mirror}` : `runs show ${lastRun.runId}`;
    case 'last_run_partial':
    case 'run_crashed':
    case 'hints_unconfirmed':
      return `sync ${mirror}`;
    case 'ahead_of_registry':
      return 'registry-word --all --dry-run';
    case 'paused':
    case 'paused_too_long':
      return `resume ${mirror} --reason TEXT`;
    default: {
      const never: never = code;
      return never;
    }
  }
};

const ofDifference = (
  { mirror, members, agreement, lastSuccess }: MirrorStatus,
  registry: Registry | null,
): StatusFinding => ({
  code: 'counts_differ',
  severity: 'error',
  mirror,
  since: lastSuccess?.at ?? registry?.at ?? null,
  runId: null,
  errorCode: null,
  numbers: {
    members: members ?? 0,
    registry: registry?.count ?? 0,
    difference: agreement.difference ?? 0,
  },
  command: `plan ${mirror}`,
});

/** Also where no proof was made for so long: a function that does not run says nothing by itself. */
const ofProof = (proof: StatusAnswer['proof'], at: string): StatusFinding[] => {
  if (proof === null || proof.because === 'no_companion_app') return [];
  const since = proof.unprovedSince ?? proof.at;
  if (Date.parse(at) - Date.parse(since) < UNPROVED_SECONDS * 1_000) return [];
  const states = Object.entries(proof.stores) as [MirrorName, (typeof proof.stores)[MirrorName]][];
  const [mirror, store] = states.find(([, { state }]) => state === 'differs') ?? ['portal' as const, null];
  return [
    {
      code: 'not_proved',
      severity: 'error',
      mirror,
      since,
      runId: null,
      errorCode: proof.errorCode,
      numbers: store?.differences == null ? {} : { count: store.differences },
      command: 'prove',
    },
  ];
};

const ofRecord = (verified: StatusAnswer['verified']): StatusFinding[] =>
  verified === null || verified.whole
    ? []
    : [
        {
          code: 'chain_broken',
          severity: 'error',
          mirror: null,
          since: verified.at,
          runId: null,
          errorCode: null,
          numbers: { count: verified.findings },
          command: 'verify',
        },
      ];

const ofTwoWay = ({ why, ...figures }: StatusAnswer['twoWay']): StatusFinding[] =>
  why.map((code) => {
    const facts = {
      dead_letters_waiting: [figures.deadLetters, figures.oldestDeadLetterAt, 'queue --status failed'],
      conflicts_waiting: [figures.openConflicts, figures.oldestOpenConflictAt, 'conflicts'],
      queue_stuck: [figures.pending, figures.oldestPendingAt, 'queue --status pending'],
      last_sweep_failed: [figures.pending, figures.lastSweep?.at ?? null, 'queue --status pending'],
    } as const;
    const [count, since, command] = facts[code];
    return {
      code,
      severity: code === 'conflicts_waiting' ? 'warning' : 'error',
      mirror: null,
      since,
      runId: null,
      errorCode: null,
      numbers: { count },
      command,
    };
  });
