import type { AdminCaller } from '../http/callers.ts';
import { SyncError } from '../lib/errors.ts';
import { deliverMembers } from './deliver.ts';
import type { DeliveryDependencies } from './delivery-dependencies.ts';
import { planResolution, type ResolveRequest } from './resolve-conflict.ts';

/** `queued`: the decision has to go to the registry. `delivered`: it is there, or need not go. */
export interface Decided {
  readonly queued: boolean;
  readonly delivered: boolean;
}

/**
 * Decides one field of a conflict and delivers the decision at once.
 *
 * Throws `invalid_request`, `already_done`, `plan_changed`, `store_unavailable`.
 */
export const decideConflictOnDemand = async (
  request: ResolveRequest,
  caller: AdminCaller,
  signal: AbortSignal,
  dependencies: DeliveryDependencies,
): Promise<Decided> => {
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
  return { queued, delivered: !queued || outcome?.kind === 'done' };
};
