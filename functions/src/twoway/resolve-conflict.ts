import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Kennitala } from '../domain/kennitala.ts';
import { isTwoWayPath, rowOf } from '../domain/member/field-table.ts';
import {
  type FieldPath,
  type FieldValue,
  type FieldValues,
  fieldOf,
  type Json,
} from '../domain/member/fields.ts';
import { toRegistryValue } from '../domain/member/parse-registry-member.ts';
import type { Caller } from '../http/callers.ts';
import { SyncError } from '../lib/errors.ts';
import { type ConflictRecord, type PathConflict, withResolution } from './conflict.ts';
import { deliverMembers } from './deliver.ts';
import type { DeliveryDependencies } from './delivery.ts';
import type { MemberView, Step } from './ports.ts';
import { type EditTime, isSameJson, makeQueueItem, type QueueItem, toEditTime } from './queue.ts';

/** `POST {"conflict", "path", "keep": "portal"|"registry"|"value", "value"?}`. */
export const resolveRequest = z
  .strictObject({
    conflict: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{1,200}$/, { error: 'the id of a document in sync_conflicts' }),
    path: z.string().refine(isTwoWayPath, { error: 'a field of that conflict, such as profile.email' }),
    keep: z.enum(['portal', 'registry', 'value'], { error: 'portal, registry or value' }),
    value: z.json().optional(),
  })
  .refine(({ keep, value }) => (keep === 'value') === (value !== undefined), {
    error: 'comes with keep "value", and only with it',
    path: ['value'],
  });

export type ResolveRequest = z.output<typeof resolveRequest>;

interface ConflictDecision {
  readonly request: ResolveRequest;
  /** The proved identity of who decides. */
  readonly by: string;
  readonly at: Date;
}

/**
 * Writes an operator's decision on one field, in one transaction: the conflict records it, the portal shows the value,
 * and a value that the registry does not hold is queued for it as an edit. Deciding the same twice changes nothing.
 * Throws `invalid_request` for a field that is not in conflict or a value that the field cannot hold, `already_done`
 * when it was decided otherwise, `plan_changed` when the member's value has changed since, so that the choice is no
 * longer between the same values.
 */
export const planResolution = (
  view: MemberView,
  { request, by, at }: ConflictDecision,
): Step<{ readonly kennitala: Kennitala; readonly queued: boolean }> => {
  const { conflict } = view;
  const path = request.path as FieldPath;
  const disputed = conflict?.paths[path];
  if (conflict == null || disputed === undefined) {
    throw new SyncError('invalid_request', 'This field is not in that conflict.', { details: { path } });
  }
  const value = chosenValue(request, disputed);
  const before = disputed.resolution;
  const { kennitala } = conflict;
  if (before !== null) {
    if (before.keep === request.keep && isDeepStrictEqual(before.value, value)) {
      return { result: { kennitala, queued: false } };
    }
    throw new SyncError('already_done', 'This field of the conflict has been decided otherwise.');
  }
  const resolved = withResolution(conflict, path, { keep: request.keep, value, by, at });
  // Whoever won stands already: nothing has to be written, so this closes the conflict whatever has happened since.
  if (request.keep === disputed.winner)
    return { conflicts: [resolved], result: { kennitala, queued: false } };
  return { ...planWrite(view, conflict, path, value, at), conflicts: [resolved] };
};

const planWrite = (
  { stored, pending }: MemberView,
  conflict: ConflictRecord,
  path: FieldPath,
  value: Json,
  at: Date,
): Step<{ readonly kennitala: Kennitala; readonly queued: boolean }> => {
  const { kennitala } = conflict;
  const held = stored === null ? undefined : toRegistryValue(path, fieldOf(stored.member, path));
  const waits = pending.some(({ changes }) => Object.hasOwn(changes, path));
  const known = conflict.paths[path];
  const winning = known?.winner === 'portal' ? known.portal.value : known?.registry.value;
  if (stored === null || held === undefined || waits || !isSameJson(path, held, winning)) {
    throw new SyncError(
      'plan_changed',
      'The field has another value by now than when the conflict was found. Keep "registry" to close the conflict.',
    );
  }
  if (isSameJson(path, held, value)) return { result: { kennitala, queued: false } };
  const item: QueueItem = makeQueueItem(
    {
      id: `${conflict.id}.${path}.resolved`,
      kennitala,
      djangoId: stored.meta.django_id,
      action: 'update',
      changes: { [path]: { oldValue: held, newValue: value } },
      editedAt: toEditTime(at) satisfies EditTime,
      isContinuation: false,
    },
    at,
  );
  const values = { [path]: readValue(path, value) } as Partial<FieldValues>;
  return { items: [item], member: { values, meta: stored.meta }, result: { kennitala, queued: true } };
};

const chosenValue = ({ keep, path, value }: ResolveRequest, disputed: PathConflict): Json => {
  switch (keep) {
    case 'portal':
      return disputed.portal.value;
    case 'registry':
      return disputed.registry.value;
    case 'value':
      return toRegistryValue(path as FieldPath, readValue(path as FieldPath, value));
    default: {
      const never: never = keep;
      return never;
    }
  }
};

const readValue = (path: FieldPath, value: unknown): FieldValue<FieldPath> => {
  const read = rowOf(path).fromPortal(value);
  if (read === undefined) {
    throw new SyncError('invalid_request', 'The value is not one that the field can hold.', {
      details: { path },
    });
  }
  return read;
};

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
  caller: Caller,
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
