import { SyncError } from '../lib/errors.ts';
import { defineRoute, type Route, type RouteInput } from '../lib/http/route.ts';
import { parseInput } from '../lib/http-endpoint.ts';
import { resolveRequest } from '../twoway/resolve-conflict.ts';
import { byWhom } from './by-whom.ts';
import type { OpsDependencies } from './dependencies.ts';
import type { OperatorAction } from './ports.ts';
import { byId } from './schemas/common.ts';
import * as schemas from './schemas/two-way.ts';
import { toWireConflict, toWireConflictDetail, toWireItem, toWireItemDetail } from './wire-two-way.ts';

/** The way back: lists name members by reference; one item by itself shows its values, and that look is recorded. */
export const twoWayRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/queue',
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
    params: byId,
    answer: schemas.queueItemAnswer,
    handle: async (input) => {
      const { item, member } = await findItem(ops, input.params.id);
      await ops.actions.record(actionOf('view_queue_item', input, ops, member));
      return { item: toWireItemDetail(item, member) };
    },
  }),
  ...(['retry', 'fail'] as const).map((verb) =>
    defineRoute({
      method: 'POST',
      path: `/queue/:id/${verb}`,
      params: byId,
      body: schemas.queueActionBody,
      answer: schemas.queueActionAnswer,
      handle: async (input) => {
        const { id } = input.params;
        const { item, member } = await findItem(ops, id);
        const action = actionOf(`${verb}_change`, input, ops, member);
        await ops.actions.record({ ...action, reason: input.body.reason });
        await ops.twoWayActions[verb](item.kennitala, id);
        return { item: toWireItem((await findItem(ops, id)).item, member) };
      },
    }),
  ),
  defineRoute({
    method: 'GET',
    path: '/conflicts',
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
];

const actionOf = (
  action: OperatorAction['action'],
  input: RouteInput<{ id: string }, unknown, unknown>,
  ops: OpsDependencies,
  member: string,
): OperatorAction => ({ ...byWhom(input, ops), action, changeId: input.params.id, member });

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
