import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { ApplyResult } from './journal.ts';
import { PORTAL_FIELDS, type PortalField, PortalValueError } from './portal-fields.ts';
import type { RegistryState } from './state.ts';
import type { MemberPatch, WireMember } from './wire-member.ts';

const change = z.object({
  change_id: z.string().min(1).optional(),
  kennitala: z.string(),
  django_id: z.number().int().nullish(),
  action: z.enum(['create', 'update', 'delete']),
  edited_at: z.string().nullish(),
  changes: z.record(z.string(), z.unknown()),
  expected: z.record(z.string(), z.unknown()).optional(),
});

/** The body of `POST /api/sync/apply/`. */
export const applyRequest = z.object({ changes: z.array(change) });

export type PortalChange = z.infer<typeof change>;

/**
 * Applies one change of the portal's, whole or not at all:
 * - a `change_id` that was applied before answers as it did then and writes nothing;
 * - a path whose present value is neither `expected` nor already the new one makes the change a conflict, answered
 *   with the present values; a path without an expected value is written as it comes;
 * - an unknown member, a path or value that the registry does not take, or another action than update, is an error.
 *
 * Only successes are remembered: a conflict or an error wrote nothing, and the same change may be sent again with
 * another `expected` once somebody has decided.
 *
 * @param companion Without the companion app the registry knows no `change_id`, `expected` or version: it writes what
 *   it is told.
 */
export const applyChange = (state: RegistryState, request: PortalChange, companion: boolean): ApplyResult => {
  const ssn = request.kennitala.replace('-', '');
  // Without the companion app there is a message and no code.
  const refuse = (code: string, message: string): ApplyResult => ({
    ssn,
    status: 'error',
    message,
    ...(companion && { code }),
  });
  const changeId = companion ? request.change_id : undefined;
  const before = changeId === undefined ? null : state.appliedResult(changeId);
  if (before) return before;

  if (request.action !== 'update')
    return refuse('action_not_allowed', `action ${request.action} is not allowed`);
  if (Object.keys(request.changes).length === 0) return refuse('malformed', 'the change names no field');
  const index = state.directory.find(ssn);
  if (index === null || !state.directory.isLive(index)) return refuse('unknown_member', 'member not found');
  const member = state.directory.member(index);

  let edits: Edit[];
  try {
    edits = readEdits(request.changes);
  } catch (error) {
    if (!(error instanceof PortalValueError)) throw error;
    return refuse(error.code, error.message);
  }

  if (companion && edits.some((edit) => isConflict(edit, member, request.expected))) {
    const current = Object.fromEntries(edits.map(({ path, field }) => [path, field.read(member)]));
    return {
      ssn,
      status: 'conflict',
      message: 'changed in the registry',
      current,
      version: member.version,
      changed_at: member.version === 0 ? null : state.directory.modifiedAt(index),
    };
  }

  const wanted = edits.filter((edit) => !holds(edit, member));
  const patch = wanted.reduce<MemberPatch>((sum, edit) => mergePatches(sum, edit.patch), {});
  const success = (version: number): ApplyResult => ({
    ssn,
    status: 'success',
    updated_fields: wanted.map(({ path }) => path).sort(),
    ...(companion && { version }),
  });
  if (wanted.length > 0) {
    const applied = (version: number) => ({ changeId: changeId ?? '', result: success(version) });
    const options = { origin: 'portal', ...(changeId !== undefined && { applied }) } as const;
    return success(state.update(index, patch, options).id);
  }
  const result = success(member.version);
  if (changeId !== undefined) state.rememberApplied(changeId, result);
  return result;
};

interface Edit {
  readonly path: string;
  readonly field: PortalField;
  readonly value: unknown;
  readonly patch: MemberPatch;
}

/** Throws PortalValueError. Every value is checked, also one that changes nothing: a wrong one is never a success. */
const readEdits = (changes: PortalChange['changes']): Edit[] =>
  Object.entries(changes).map(([path, value]) => {
    const field = Object.hasOwn(PORTAL_FIELDS, path) ? PORTAL_FIELDS[path] : undefined;
    if (!field) throw new PortalValueError('unknown_path', 'a field is not writable from the portal');
    return { path, field, value, patch: field.write(value) };
  });

const same = (field: PortalField, one: unknown, other: unknown): boolean =>
  isDeepStrictEqual(field.normalise(one), field.normalise(other));

const holds = ({ field, value }: Edit, member: WireMember): boolean => same(field, field.read(member), value);

const isConflict = (edit: Edit, member: WireMember, expected: PortalChange['expected']): boolean =>
  expected !== undefined &&
  Object.hasOwn(expected, edit.path) &&
  !same(edit.field, edit.field.read(member), expected[edit.path]) &&
  !holds(edit, member);

const mergePatches = (one: MemberPatch, other: MemberPatch): MemberPatch => ({
  ...one,
  ...other,
  contact_info: { ...one.contact_info, ...other.contact_info },
});
