import pMap from 'p-map';
import { isPlaceholder, type Kennitala, tryKennitala } from '../domain/kennitala.ts';
import { chunksOf } from '../lib/concurrency.ts';
import { asSyncError, type ErrorCode, isSyncError, SyncError, stackFrames } from '../lib/errors.ts';
import { type ApplyEventDependencies, applyReading } from '../portal/apply-event.ts';
import type { RosterRefresh } from '../portal/ports.ts';
import type { MemberReader, OutboxRow, RegistryChanges } from '../registry/ports.ts';
import { deliverMembers } from './deliver.ts';
import type { DeliveryDependencies } from './delivery.ts';
import type { TwoWayLogs } from './logs.ts';
import {
  type DueOptions,
  RECORD_KEPT_MS,
  type Step,
  type Tally,
  type TwoWayLog,
  type TwoWayRecord,
} from './ports.ts';
import { BEFORE_ALL, isGivenUp, reviveItem, SYNCED_KEPT_MS } from './queue.ts';

export interface TwoWayRun {
  readonly trigger: TwoWayRecord['trigger'];
  readonly which: DueOptions['which'];
  readonly requestedBy: string | null;
}

export interface TwoWayDependencies extends DeliveryDependencies, Omit<PullDependencies, 'registry'> {
  readonly log: TwoWayLog;
  readonly reader: MemberReader;
  readonly makeRunId: (startedAt: Date) => string;
  /** Less than the function's own limit, so that a slow run still closes its record. */
  readonly runLimitMs: number;
}

/**
 * One run of both directions: members' edits to the registry first, so that what the registry then tells is the newest;
 * then its change queue; then old items are deleted. Two runs at once do no harm, since every delivery is claimed.
 *
 * Never throws for what happens in the run: the record says it. Throws `store_unavailable` when the record cannot be
 * opened.
 */
export const runTwoWay = async (run: TwoWayRun, dependencies: TwoWayDependencies): Promise<TwoWayRecord> => {
  const { log, logs, now, makeRunId, runLimitMs } = dependencies;
  const startedAt = now();
  const opened: TwoWayRecord = {
    id: makeRunId(startedAt),
    trigger: run.trigger,
    status: 'running',
    startedAt,
    completedAt: null,
    firestoreToDjango: { success: 0, failed: 0 },
    djangoToFirestore: { success: 0, failed: 0 },
    conflicts: 0,
    cleaned: 0,
    errorCode: null,
    error: null,
    requestedBy: run.requestedBy,
    expireAt: new Date(startedAt.getTime() + RECORD_KEPT_MS),
  };
  await log.write(opened);
  const signal = AbortSignal.timeout(runLimitMs);
  let record = opened;
  let failure: SyncError | null = null;
  try {
    const pushed = await pushEdits(run.which, signal, dependencies);
    failure = pushed.failure;
    record = {
      ...record,
      firestoreToDjango: { success: pushed.success, failed: pushed.failed },
      conflicts: pushed.conflicts,
    };
    const pulled = await pullChanges(signal, { ...dependencies, registry: dependencies.reader });
    record = { ...record, djangoToFirestore: pulled, cleaned: await clean(signal, dependencies) };
  } catch (cause) {
    failure = asSyncError(cause);
    if (failure.code === 'internal') logs.crashed(stackFrames(failure));
  }
  const closed: TwoWayRecord = {
    ...record,
    status: statusOf(record, failure),
    completedAt: now(),
    errorCode: failure?.code ?? null,
    error: failure?.message ?? null,
  };
  logs.finished(closed);
  await log.write(closed).catch((cause: unknown) => logs.recordLost(asSyncError(cause)));
  return closed;
};

const clean = async (signal: AbortSignal, { store, now }: TwoWayDependencies): Promise<number> => {
  const before = new Date(now().getTime() - SYNCED_KEPT_MS);
  let sum = 0;
  for (;;) {
    const deleted = await store.deleteSynced(before);
    sum += deleted;
    if (deleted === 0 || signal.aborted) return sum;
  }
};

const statusOf = (
  { firestoreToDjango, djangoToFirestore }: TwoWayRecord,
  failure: SyncError | null,
): TwoWayRecord['status'] => {
  if (failure !== null) return 'error';
  return firestoreToDjango.failed + djangoToFirestore.failed > 0 ? 'partial' : 'success';
};

export interface Pushed {
  readonly success: number;
  readonly failed: number;
  readonly conflicts: number;
  /** The store failed on the way: what it holds was not all seen. */
  readonly failure: SyncError | null;
}

const MEMBERS_AT_ONCE = 400;

/** Delivers everything that is due, or also what waits, or the dead letters; until nothing is left or time is up. */
export const pushEdits = async (
  which: DueOptions['which'],
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Pushed> => {
  const { store, now } = dependencies;
  const seen = new Set<Kennitala>();
  let sum: Pushed = { success: 0, failed: 0, conflicts: 0, failure: null };
  while (!signal.aborted) {
    const members = await store.members({ now: now(), which, limit: MEMBERS_AT_ONCE, except: seen });
    if (members.length === 0) break;
    for (const kennitala of members) {
      seen.add(kennitala);
      if (which === 'failed') await revive(kennitala, dependencies);
    }
    const outcomes = await deliverMembers(members, { signal, isUrgent: which !== 'due' }, dependencies);
    for (const outcome of outcomes.values()) {
      const hasFailed = outcome.kind === 'failed' || (outcome.kind === 'waiting' && outcome.failure !== null);
      sum = {
        success: sum.success + outcome.synced,
        failed: sum.failed + outcome.refused + (hasFailed ? 1 : 0),
        conflicts: sum.conflicts + outcome.conflicts,
        failure: outcome.kind === 'failed' && isSyncError(outcome.failure) ? outcome.failure : sum.failure,
      };
    }
  }
  return sum;
};

/** An operator gives a member's dead letters another three days. */
const revive = async (kennitala: Kennitala, { store, now }: DeliveryDependencies): Promise<void> => {
  const at = now();
  await store.transact<null>(
    kennitala,
    { failed: true, laterThan: BEFORE_ALL },
    at,
    ({ failed, later }): Step<null> => ({
      items: failed.filter((item) => !isGivenUp(item)).map((item) => reviveItem(item, { now: at, later })),
      result: null,
    }),
  );
};

export interface PullDependencies extends ApplyEventDependencies {
  readonly changes: Pick<RegistryChanges, 'outbox' | 'markSynced'>;
  readonly rosterRefresh: RosterRefresh;
  readonly logs: TwoWayLogs;
}

const PULLED_AT_ONCE = 8;
const IDS_PER_CALL = 500;
/** No registry sends an event for so long; older rows are history. */
const SENT_FOR_AT_MOST_MS = 7 * 24 * 60 * 60_000;
/** What ends the whole pull: every further member would meet the same. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'registry_unreachable',
  'registry_timeout',
  'registry_unavailable',
  'registry_unauthorized',
  'registry_rejected',
  'secret_unavailable',
  'store_unavailable',
]);

/**
 * Applies what the registry's change queue still holds, oldest first and whatever its age, and acknowledges exactly
 * what is durable. A row, also of a deletion, is taken as a hint, and the whole member is read once for all of their
 * rows: a row has only the fields that it changed, and rows applied one by one would lose to each other's versions. A
 * row's id is not taken for a version: in a queue without the companion app it has nothing to do with members'
 * versions, and would keep out everything that came later. There is no watermark, since it could pass what was not
 * applied. Throws the `registry_*` codes and `store_unavailable`, after what was durable has been acknowledged.
 */
export const pullChanges = async (signal: AbortSignal, dependencies: PullDependencies): Promise<Tally> => {
  const given = new Set<number>();
  let success = 0;
  let failed = 0;
  while (!signal.aborted) {
    const rows = (await dependencies.changes.outbox({ signal })).filter(({ id }) => !given.has(id));
    if (rows.length === 0) break;
    for (const { id } of rows) given.add(id);
    const pulled = await pullRows(rows, signal, dependencies);
    success += pulled.success;
    failed += pulled.failed;
  }
  return { success, failed };
};

const pullRows = async (
  rows: readonly OutboxRow[],
  signal: AbortSignal,
  dependencies: PullDependencies,
): Promise<Tally> => {
  const durable: number[] = [];
  const failures: SyncError[] = [];
  let ending: SyncError | null = null;
  const pull = async (ofMember: readonly OutboxRow[]): Promise<void> => {
    if (ending !== null) return;
    try {
      await pullMember(ofMember, signal, dependencies);
      durable.push(...ofMember.map(({ id }) => id));
    } catch (cause) {
      const failure = asSyncError(cause);
      failures.push(failure);
      if (ENDS_ALL.has(failure.code)) ending = failure;
      for (const { id } of ofMember) dependencies.logs.notPulled(id, failure.code);
    }
  };
  await pMap(byMember(rows), pull, { concurrency: PULLED_AT_ONCE });
  for (const ids of chunksOf(
    durable.sort((a, b) => a - b),
    IDS_PER_CALL,
  )) {
    await dependencies.changes.markSynced(ids, { signal });
  }
  if (ending !== null) throw ending;
  return { success: byMember(rows).length - failures.length, failed: failures.length };
};

/** In the order of each member's first row. */
const byMember = (rows: readonly OutboxRow[]): OutboxRow[][] => {
  const members = new Map<string, OutboxRow[]>();
  for (const row of rows.toSorted((a, b) => a.id - b.id)) {
    const key = tryKennitala(row.ssn) ?? row.ssn;
    members.set(key, [...(members.get(key) ?? []), row]);
  }
  return [...members.values()];
};

const pullMember = async (
  rows: readonly OutboxRow[],
  signal: AbortSignal,
  dependencies: PullDependencies,
): Promise<void> => {
  const last = rows.at(-1);
  const kennitala = tryKennitala(last?.ssn ?? '');
  // A row without a member cannot be applied; only the registry's own people can acknowledge it.
  if (last === undefined || kennitala === null) throw unreadable();
  if (isPlaceholder(kennitala)) return;
  const { action } = last;
  const sentSince = new Date(dependencies.now().getTime() - SENT_FOR_AT_MOST_MS);
  const mayBeCreated = rows.some((row) => row.action !== 'delete' && row.createdAt > sentSince);
  await applyReading({ kennitala, action, mayBeCreated }, null, signal, dependencies);
  await dependencies.rosterRefresh.request(dependencies.now());
};

const unreadable = (): SyncError =>
  new SyncError('member_invalid', 'A row of the change queue names no kennitala.');
