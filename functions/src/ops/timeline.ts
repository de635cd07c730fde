import type { RunRecord } from '../mirror/mirror.ts';
import type { ConflictRecord } from '../twoway/conflict.ts';
import { dateOf } from '../twoway/queue.ts';
import type { OperatorAction, QueuedChange } from './ports.ts';
import { changeAction } from './schemas/person.ts';
import type { PortalNow, RegisterNow, TimelineEntry } from './schemas.ts';

/** Entries of one person's timeline: facts and codes, no value of a field. */

const personal = (
  at: Date | string,
  source: TimelineEntry['source'],
  what: TimelineEntry['what'],
  more: Partial<TimelineEntry> = {},
): TimelineEntry => ({
  at: typeof at === 'string' ? at : at.toISOString(),
  source,
  what,
  mirror: null,
  runId: null,
  isPersonal: true,
  detail: {},
  ...more,
});

/** What a webhook is answered with. */
const RESULTS = ['applied', 'stale', 'duplicate', 'skipped'] as const;

export const fromReceipt = (receipt: { at: Date; result: string; action: string }): TimelineEntry =>
  personal(receipt.at, 'webhook', RESULTS.find((known) => known === receipt.result) ?? 'received', {
    mirror: 'portal',
    detail: { action: changeAction.safeParse(receipt.action).data },
  });

/**
 * A run whose lists name the person; a failed one had planned it, and the record says how it ended. A plan that was only
 * looked at did nothing to anybody.
 */
export const fromRunOfMember = ({
  run,
  what,
}: {
  run: RunRecord;
  what: 'added' | 'removed';
}): TimelineEntry[] =>
  run.outcome === 'dry-run'
    ? []
    : [
        personal(run.timestamp, 'run', run.outcome === 'blocked' ? 'blocked' : what, {
          mirror: run.mirror,
          runId: run.runId,
          detail: detailOf(run),
        }),
      ];

/** Runs that say something of everybody, and so of this person: they changed nothing for anybody, or took the list back. */
export const fromRunAboutAll = (run: RunRecord): TimelineEntry[] => {
  const what = whatForAll(run);
  return what === null
    ? []
    : [
        personal(run.timestamp, 'run', what, {
          mirror: run.mirror,
          runId: run.runId,
          isPersonal: false,
          detail: detailOf(run),
        }),
      ];
};

/**
 * A rollback takes the mirror away from the registry and pauses it. Runs with any other outcome concern some members
 * only.
 */
const whatForAll = ({ outcome, status, errorCode, rollbackOf }: RunRecord): TimelineEntry['what'] | null => {
  switch (outcome) {
    case 'published':
      return rollbackOf === null || rollbackOf === undefined ? null : 'rolled_back';
    case 'skipped':
      return errorCode === 'paused' ? 'skipped' : null;
    case 'blocked':
    case 'failed':
    case 'partial':
      return outcome;
    case 'unchanged':
    case 'dry-run':
      return null;
    case null:
      return status === 'running' ? 'running' : 'failed';
    default: {
      const never: never = outcome;
      return never;
    }
  }
};

const detailOf = (run: RunRecord): TimelineEntry['detail'] => ({
  trigger: run.trigger,
  outcome: run.outcome ?? run.status,
  errorCode: run.errorCode,
  rules: run.guard?.findings.map(({ rule }) => rule) ?? [],
  approvedBy: run.approvedBy,
  rollbackOf: run.rollbackOf ?? null,
});

export const fromQueue = (item: QueuedChange): TimelineEntry[] => {
  const paths = [...Object.keys(item.changes), ...Object.keys(item.settled)].toSorted();
  const detail = { id: item.id, action: item.action, paths, retryCount: item.retryCount };
  const edited = personal(dateOf(item.editedAt), 'queue', 'edited', { detail });
  if (item.status === 'pending') {
    const nextAttemptAt = item.nextAttemptAt.toISOString();
    return [
      edited,
      personal(item.createdAt, 'queue', 'edit_pending', { detail: { ...detail, nextAttemptAt } }),
    ];
  }
  return [edited, personal(item.syncedAt ?? item.nextAttemptAt, 'queue', `edit_${item.status}`, { detail })];
};

export const fromConflict = (conflict: ConflictRecord): TimelineEntry[] => {
  const paths = Object.keys(conflict.paths).toSorted();
  const winners = Object.fromEntries(
    Object.entries(conflict.paths).map(([path, { winner }]) => [path, winner]),
  );
  const decided = Object.entries(conflict.paths).flatMap(([path, { resolution }]) =>
    resolution === null
      ? []
      : [
          personal(resolution.at, 'conflict', 'resolved', {
            detail: { id: conflict.id, paths: [path], keep: resolution.keep, by: resolution.by },
          }),
        ],
  );
  return [
    personal(conflict.detectedAt, 'conflict', 'detected', { detail: { id: conflict.id, paths, winners } }),
    ...decided,
  ];
};

export const fromAction = (action: OperatorAction): TimelineEntry =>
  personal(action.at, 'operator', action.action, {
    mirror: action.mirror ?? null,
    runId: action.runId ?? null,
    isPersonal: action.member !== undefined,
    detail: { by: action.by, reason: action.reason ?? null },
  });

export const fromPortal = (portal: PortalNow): TimelineEntry[] => {
  if (portal.state !== 'active' && portal.state !== 'inactive') return [];
  const detail = { origin: portal.origin, version: portal.version, status: portal.state };
  return [
    ...(portal.syncedAt === null
      ? []
      : [personal(portal.syncedAt, 'portal', 'last_written', { mirror: 'portal', detail })]),
    ...(portal.deletedAt === null
      ? []
      : [personal(portal.deletedAt, 'portal', 'deleted', { mirror: 'portal', detail })]),
  ];
};

export const fromRegister = (register: RegisterNow): TimelineEntry[] => {
  if (register.state !== 'active' && register.state !== 'inactive') return [];
  const mirror = 'register';
  return [
    ...(register.addedAt === null ? [] : [personal(register.addedAt, 'register', 'added', { mirror })]),
    ...(register.removedAt === null ? [] : [personal(register.removedAt, 'register', 'removed', { mirror })]),
  ];
};
