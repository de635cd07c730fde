import { type ConflictRecord, isOpen } from '../twoway/conflict.ts';
import { dateOf } from '../twoway/edit.ts';
import { isGivenUp } from '../twoway/queue.ts';
import type { QueuedChange } from './ports.ts';
import type { Conflict, ConflictDetail, QueueItem, QueueItemDetail } from './schemas.ts';

/** A change of a member as lists show it: the member by reference, the fields by path, no value. */
export const toWireItem = (item: QueuedChange, member: string): QueueItem => ({
  id: item.id,
  member,
  status: item.status,
  action: item.action,
  waiting: Object.keys(item.changes),
  settled: Object.fromEntries(Object.entries(item.settled).map(([path, { outcome }]) => [path, outcome])),
  createdAt: item.createdAt.toISOString(),
  editedAt: dateOf(item.editedAt).toISOString(),
  syncedAt: item.syncedAt?.toISOString() ?? null,
  retryCount: item.retryCount,
  nextAttemptAt: item.nextAttemptAt.toISOString(),
  isGivenUp: isGivenUp(item),
});

export const toWireItemDetail = (item: QueuedChange, member: string): QueueItemDetail => ({
  ...toWireItem(item, member),
  kennitala: item.kennitala,
  values: Object.fromEntries(
    Object.entries({ ...item.settled, ...item.changes }).map(([path, { oldValue, newValue }]) => [
      path,
      { oldValue, newValue },
    ]),
  ),
  errorMessage: item.errorMessage,
});

export const toWireConflict = (conflict: ConflictRecord, member: string): Conflict => ({
  ...factsOf(conflict, member),
  paths: Object.fromEntries(
    Object.entries(conflict.paths).map(([path, found]) => [path, pathFactsOf(found)]),
  ),
});

export const toWireConflictDetail = (conflict: ConflictRecord, member: string): ConflictDetail => ({
  ...factsOf(conflict, member),
  kennitala: conflict.kennitala,
  paths: Object.fromEntries(
    Object.entries(conflict.paths).map(([path, found]) => [
      path,
      {
        ...pathFactsOf(found),
        expected: found.expected,
        portal: found.portal.value,
        registry: found.registry.value,
        resolution:
          found.resolution === null ? null : { ...found.resolution, at: found.resolution.at.toISOString() },
      },
    ]),
  ),
});

const factsOf = (conflict: ConflictRecord, member: string) => ({
  id: conflict.id,
  member,
  state: isOpen(conflict) ? ('open' as const) : ('resolved' as const),
  detectedAt: conflict.detectedAt.toISOString(),
});

const pathFactsOf = ({
  winner,
  reason,
  state,
  portal,
  registry,
  resolution,
}: ConflictRecord['paths'][string]) => ({
  winner,
  reason,
  state,
  portalEditedAt: portal.editedAt.toISOString(),
  registryChangedAt: registry.changedAt?.toISOString() ?? null,
  decided: resolution?.keep ?? null,
});
