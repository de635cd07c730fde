import { defineRoute, parseInput, type Route, type RouteInput } from '../http/route.ts';
import { SyncError } from '../lib/errors.ts';
import { type ConflictRecord, isOpen } from '../twoway/conflict.ts';
import type { TwoWayRecord } from '../twoway/ports.ts';
import { dateOf, isGivenUp } from '../twoway/queue.ts';
import { resolveRequest } from '../twoway/resolve-conflict.ts';
import { byWhom, type OpsDependencies } from './dependencies.ts';
import type { OperatorAction, QueuedChange } from './ports.ts';
import { byId } from './schemas/common.ts';
import * as schemas from './schemas/two-way.ts';
import type { Conflict, ConflictDetail, QueueItemDetail, WireQueueItem } from './schemas.ts';

/** The way back: lists name members by reference; one item by itself shows its values, and that look is recorded. */
export const twoWayRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/queue',
    summary: 'Members’ own edits on their way to the registry, without values',
    query: schemas.queueQuery,
    answer: schemas.queuePage,
    handle: async ({ query }) => {
      const { items, next } = await ops.twoWay.queue(query);
      const shown = items.map(async (item) => toWireItem(item, await ops.reference(item.kennitala)));
      return { items: await Promise.all(shown), next };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/queue/:id',
    summary: 'One edit with its values; the look is recorded',
    params: byId,
    answer: schemas.queueItemAnswer,
    handle: async (input) => {
      const { item, member } = await findItem(ops, input.params.id);
      await ops.actions.record(actionOf('view_queue_item', input, ops, member));
      return { item: toWireItemDetail(item, member) };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/queue/:id/retry',
    summary: 'Lets a dead letter wait again, and delivers what waits of the member',
    params: byId,
    body: schemas.queueActionBody,
    answer: schemas.retryAnswer,
    handle: async (input) => {
      const { id } = input.params;
      const { item, member } = await beginAction('retry_change', input, ops);
      const delivery = await ops.twoWayActions.retry(item.kennitala, id);
      return { item: toWireItem((await findItem(ops, id)).item, member), delivery };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/queue/:id/fail',
    summary: 'Gives an edit up',
    params: byId,
    body: schemas.queueActionBody,
    answer: schemas.queueActionAnswer,
    handle: async (input) => {
      const { id } = input.params;
      const { item, member } = await beginAction('fail_change', input, ops);
      await ops.twoWayActions.fail(item.kennitala, id);
      return { item: toWireItem((await findItem(ops, id)).item, member) };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/conflicts',
    summary: 'Fields that both sides had changed, without values',
    query: schemas.conflictsQuery,
    answer: schemas.conflictsPage,
    handle: async ({ query }) => {
      const { items, next } = await ops.twoWay.conflicts(query);
      const shown = items.map(async (found) => toWireConflict(found, await ops.reference(found.kennitala)));
      return { conflicts: await Promise.all(shown), next };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/conflicts/:id',
    summary: 'One conflict with its values; the look is recorded',
    params: byId,
    answer: schemas.conflictAnswer,
    handle: async (input) => {
      const { conflict, member } = await findConflict(ops, input.params.id);
      await ops.actions.record(actionOf('view_conflict', input, ops, member));
      return { conflict: toWireConflictDetail(conflict, member) };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/conflicts/:id/resolve',
    summary: 'Decides one field of a conflict',
    params: byId,
    body: schemas.resolveBody,
    answer: schemas.resolveAnswer,
    handle: async (input) => {
      const { id } = input.params;
      const request = parseInput('body', { ...input.body, conflict: id }, resolveRequest);
      const { member } = await findConflict(ops, id);
      await ops.actions.record(actionOf('resolve_conflict', input, ops, member));
      const decided = await ops.twoWayActions.resolve(request, input.caller);
      return { conflict: toWireConflict((await findConflict(ops, id)).conflict, member), ...decided };
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/two-way/runs',
    summary: 'Sends what is due, and takes over the registry’s change queue',
    body: schemas.twoWayRunBody,
    answer: schemas.twoWayRunAnswer,
    handle: async ({ body, caller }) => {
      const record = await ops.runTwoWay(body.deliver, caller.id);
      const answer = { run: toWireSweep(record) };
      if (record.status !== 'error') return answer;
      throw new SyncError(record.errorCode ?? 'internal', record.error ?? 'The run did not say why.', {
        answer,
      });
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/members/sync',
    summary: 'Brings one member in line with the registry; recorded',
    body: schemas.syncMemberBody,
    answer: schemas.syncMemberAnswer,
    handle: async (input) => {
      const member = await ops.reference(input.body.kennitala);
      await ops.actions.record({ ...byWhom(input, ops), action: 'sync_member', member });
      const { differences, keptEdits, reasons, ...rest } = await ops.syncMember(input.body);
      return { ...rest, differences: [...differences], keptEdits: [...keptEdits], reasons: [...reasons] };
    },
  }),
];

const actionOf = (
  action: OperatorAction['action'],
  input: RouteInput<{ id: string }, unknown, unknown>,
  ops: OpsDependencies,
  member: string,
): OperatorAction => ({ ...byWhom(input, ops), action, changeId: input.params.id, member });

/** The action is on record before it is done. */
const beginAction = async (
  action: 'retry_change' | 'fail_change',
  input: RouteInput<{ id: string }, unknown, { reason: string }>,
  ops: OpsDependencies,
) => {
  const found = await findItem(ops, input.params.id);
  await ops.actions.record({ ...actionOf(action, input, ops, found.member), reason: input.body.reason });
  return found;
};

const findItem = async ({ twoWay, reference }: OpsDependencies, id: string) => {
  const item = await twoWay.queueItem(id);
  if (item === null) throw new SyncError('not_found', 'There is no change with that id.');
  return { item, member: await reference(item.kennitala) };
};

const findConflict = async ({ twoWay, reference }: OpsDependencies, id: string) => {
  const conflict = await twoWay.conflict(id);
  if (conflict === null) throw new SyncError('not_found', 'There is no conflict with that id.');
  return { conflict, member: await reference(conflict.kennitala) };
};

/** A change of a member as lists show it: the member by reference, the fields by path, no value. */
const toWireItem = (item: QueuedChange, member: string): WireQueueItem => ({
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

const toWireItemDetail = (item: QueuedChange, member: string): QueueItemDetail => ({
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

const toWireConflict = (conflict: ConflictRecord, member: string): Conflict => ({
  ...factsOf(conflict, member),
  paths: Object.fromEntries(
    Object.entries(conflict.paths).map(([path, found]) => [path, pathFactsOf(found)]),
  ),
});

const toWireConflictDetail = (conflict: ConflictRecord, member: string): ConflictDetail => ({
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

const toWireSweep = (record: TwoWayRecord) => {
  const { trigger: _, cleaned: __, expireAt: ___, startedAt, completedAt, ...rest } = record;
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    completedAt: completedAt?.toISOString() ?? null,
    firestoreToDjango: { ...rest.firestoreToDjango },
    djangoToFirestore: { ...rest.djangoToFirestore },
  };
};
