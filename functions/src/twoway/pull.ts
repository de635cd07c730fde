import { isPlaceholder, tryKennitala } from '../domain/kennitala.ts';
import { chunksOf, inParallel, lazy } from '../lib/concurrency.ts';
import { asSyncError, type ErrorCode, SyncError } from '../lib/errors.ts';
import { type ApplyEventDependencies, applyReading } from '../portal/apply-event.ts';
import type { RosterRefresh } from '../portal/ports.ts';
import type { OutboxRow, RegistryChanges } from '../registry/ports.ts';
import type { TwoWayLogs } from './logs.ts';
import type { RegistryMembers } from './registry.ts';

export interface PullDependencies extends ApplyEventDependencies {
  readonly changes: Pick<RegistryChanges, 'outbox' | 'markSynced'>;
  readonly registryMembers: Pick<RegistryMembers, 'isVersioned'>;
  readonly rosterRefresh: RosterRefresh;
  readonly logs: TwoWayLogs;
}

/** Members. */
export interface Pulled {
  readonly success: number;
  readonly failed: number;
}

const MEMBERS_AT_ONCE = 8;
const IDS_PER_CALL = 500;
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
 * Applies what the registry's change queue still holds, oldest first and whatever its age, and acknowledges exactly what
 * is durable. A row tells only what it changed, and rows of one member that are applied in parts lose to each other's
 * versions; so a row is a hint, deletions included: the whole member is read once, which covers all of their rows. A row's
 * id is no version here: that of a queue without the companion app has nothing to do with members' versions, and held as
 * one it would keep everything out that came later. There is no watermark that could pass what was not applied.
 *
 * Throws the `registry_*` codes and `store_unavailable`, after what was durable has been acknowledged.
 */
export const pullChanges = async (signal: AbortSignal, dependencies: PullDependencies): Promise<Pulled> => {
  const given = new Set<number>();
  const { registryMembers } = dependencies;
  const isVersioned = lazy(() => registryMembers.isVersioned({ signal }));
  let success = 0;
  let failed = 0;
  while (!signal.aborted) {
    const rows = (await dependencies.changes.outbox({ signal })).filter(({ id }) => !given.has(id));
    if (rows.length === 0) break;
    for (const { id } of rows) given.add(id);
    const pulled = await pullRows(rows, signal, { ...dependencies, registryMembers: { isVersioned } });
    success += pulled.success;
    failed += pulled.failed;
  }
  return { success, failed };
};

const pullRows = async (
  rows: readonly OutboxRow[],
  signal: AbortSignal,
  dependencies: PullDependencies,
): Promise<Pulled> => {
  const durable: number[] = [];
  const failures: SyncError[] = [];
  let ending: SyncError | null = null;
  await inParallel(byMember(rows), MEMBERS_AT_ONCE, async (ofMember) => {
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
  });
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
  // Nobody can apply a row without a member: it is acknowledged only by the registry's own people.
  if (last === undefined || kennitala === null) throw unreadable();
  if (isPlaceholder(kennitala)) return;
  const { action } = last;
  const applied = await applyReading({ kennitala, action }, null, signal, dependencies);
  if (applied.changesRoster) await dependencies.rosterRefresh.request(dependencies.now());
};

const unreadable = (): SyncError =>
  new SyncError('member_invalid', 'A row of the change queue names no kennitala.');
