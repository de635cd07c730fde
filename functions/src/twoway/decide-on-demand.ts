import type { AdminCaller } from '../lib/callers.ts';
import { SyncError } from '../lib/errors.ts';
import { answerJson, type HttpAnswer } from '../lib/http-endpoint.ts';
import { deliverMembers } from './deliver.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { planResolution, type ResolveRequest } from './resolve-conflict.ts';

/**
 * Decides one field of a conflict and delivers the decision at once. 200 when it is written: `delivered` says whether
 * the registry has it already or will get it by the queue.
 *
 * Throws `invalid_request`, `already_done`, `plan_changed`, `store_unavailable`.
 */
export const decideConflictOnDemand = async (
  request: ResolveRequest,
  caller: AdminCaller,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<HttpAnswer> => {
  const { store, now, logs, reference } = dependencies;
  const kennitala = await store.conflictMember(request.conflict);
  if (kennitala === null) throw new SyncError('invalid_request', 'There is no conflict of that id.');
  const at = now();
  const { queued } = await store.transact(kennitala, { conflict: request.conflict }, at, (view) =>
    planResolution(view, { request, by: caller.id, at }),
  );
  const member = await reference(kennitala);
  logs.resolved(member, request.conflict, request.path, request.keep);
  const outcome = queued
    ? (await deliverMembers([kennitala], { signal }, dependencies)).get(kennitala)
    : undefined;
  return answerJson(200, {
    success: true,
    conflict: request.conflict,
    path: request.path,
    keep: request.keep,
    member,
    queued,
    delivered: !queued || outcome?.kind === 'done',
  });
};
