import { applyPatch } from '../domain/member/apply-patch.ts';
import type { Json } from '../domain/member/field-row.ts';
import { fieldOf } from '../domain/member/fields.ts';
import { type ParsedMember, parseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { toRegistryValue } from '../domain/member/registry-changes.ts';
import type { DocumentState, MemberReader } from '../portal/ports.ts';
import type { Companion } from './companion.ts';
import type { Claimed, Delivery } from './delivery.ts';
import { isFieldPath, isSameJson } from './field-json.ts';
import type { ChangeAnswer, TwoWayStore } from './ports.ts';
import type { ConflictAnswer } from './settle-conflict.ts';

export interface LookDependencies {
  readonly store: TwoWayStore;
  readonly reader: MemberReader;
  readonly companion: Companion;
  readonly now: () => Date;
}

/**
 * For a registry that may not compare the expected value itself: reads the member back, and answers as the companion
 * app would. Null when the change is to be sent. So a change whose answer was lost is found done, and a conflict is
 * found before it is overwritten. Between reading and writing somebody can still come in; only the companion app
 * closes that.
 *
 * Throws the `registry_*` codes, `member_invalid`, `store_unavailable`.
 */
export const lookFirst = async (
  claimed: Claimed,
  part: Delivery,
  signal: AbortSignal,
  { store, reader, companion, now }: LookDependencies,
): Promise<Exclude<ChangeAnswer, { status: 'conflict' }> | ConflictAnswer | null> => {
  if (companion.isKnown()) return null;
  const { kennitala } = claimed;
  const ifState = await store.transact<DocumentState>(kennitala, {}, now(), ({ state }) => ({
    result: state,
  }));
  const json = await reader.readMember(kennitala, { signal });
  if (json === null) {
    return part.action === 'create' ? null : refusal('unknown_member', 'the registry has no such member');
  }
  const said = parseRegistryMember(json);
  if (said.version !== null) {
    companion.learn(true);
    return null;
  }
  const current = valuesIn(said, Object.keys(part.paths));
  const differs = (path: string, value: Json | undefined): boolean =>
    Object.hasOwn(current, path) && !isSameJson(path, current[path], value);
  const paths = Object.entries(part.paths);
  if (part.action === 'create') {
    const isOurs = paths.every(([path, { newValue }]) => !differs(path, newValue));
    return isOurs
      ? { status: 'success', version: null }
      : refusal('already_exists', 'the registry has this member already');
  }
  if (paths.some(([path, { expected, newValue }]) => differs(path, expected) && differs(path, newValue))) {
    return { status: 'conflict', current, version: null, changedAt: null, ifState };
  }
  const isDone = paths.every(
    ([path, { newValue }]) => Object.hasOwn(current, path) && !differs(path, newValue),
  );
  return isDone ? { status: 'success', version: null } : null;
};

const refusal = (code: string, message: string): ChangeAnswer & { status: 'refused' } => ({
  status: 'refused',
  code,
  message,
});

/** What the registry said of these fields; one that it did not mention cannot be compared. */
const valuesIn = (said: ParsedMember, paths: readonly string[]): Record<string, Json> => {
  const member = applyPatch(null, said);
  const values: Record<string, Json> = {};
  for (const path of paths) {
    if (!isFieldPath(path) || said.content[path] === undefined) continue;
    values[path] = toRegistryValue(path, fieldOf(member, path));
  }
  return values;
};
