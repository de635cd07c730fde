import { isDeepStrictEqual } from 'node:util';
import { decideChange, type StoredMember } from '../domain/member/decide-change.ts';
import { type FieldPath, type FieldValues, fieldOf, type Json, withFields } from '../domain/member/fields.ts';
import {
  isConsentPath,
  type PendingEdit,
  unheardConsents,
  type Withdrawals,
  withWithdrawals,
} from '../domain/member/kept-values.ts';
import type { Member } from '../domain/member/member.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { type ParsedMember, toRegistryValue } from '../domain/member/parse-registry-member.ts';
import { applyPatch, isSameValue } from '../domain/member/patch.ts';
import { isSyncError } from '../lib/errors.ts';
import type { DocumentState } from '../portal/ports.ts';
import type { CallLimits, ChangeAnswer } from '../registry/ports.ts';
import type { Claimed } from './delivery.ts';
import type { ConflictAnswer, MemberUpdate, MemberView, TwoWayStore } from './ports.ts';
import {
  type Delivery,
  dateOf,
  isFieldPath,
  isSameJson,
  mergeEdits,
  type QueueItem,
  tryFieldValue,
} from './queue.ts';
import type { ApplyProtocol, RegistryMembers } from './registry.ts';

/** The registry's present word about a member. */
export interface Reading {
  readonly change: MemberChange & { readonly content: ParsedMember };
  /** What the document was before the registry was read. */
  readonly ifState: DocumentState;
}

export interface ReadDependencies {
  readonly store: TwoWayStore;
  readonly registryMembers: RegistryMembers;
  readonly now: () => Date;
}

/** The state is read first: a write in between then shows. Null when the registry has no such member. */
export const readRegistry = async (
  { kennitala }: Pick<Claimed, 'kennitala'>,
  options: CallLimits,
  { store, registryMembers, now }: ReadDependencies,
): Promise<Reading | null> => {
  const ifState = await store.transact<DocumentState>(kennitala, {}, now(), ({ state }) => ({
    result: state,
  }));
  const content = await registryMembers.read(kennitala, options);
  if (content === null) return null;
  const { version } = content;
  return { change: { kennitala, action: 'update', version, occurredAt: null, content }, ifState };
};

/** What was read before anything was sent: the change is there already, or cannot be made. */
export type KnownAnswer =
  | { readonly status: 'success'; readonly version: null; readonly reading: Reading }
  | Extract<ChangeAnswer, { readonly status: 'refused' }>
  | ConflictAnswer;

/**
 * For a registry that may not compare the expected value itself: reads the member, and answers as the companion app
 * would. Null when the change is to be sent. So a change whose answer was lost is found done, and a conflict is found
 * before it is overwritten. Between reading and writing somebody can still come in; only the companion app closes that.
 *
 * Throws the `registry_*` codes, `member_invalid`, `store_unavailable`.
 */
export const readBeforeSending = async (
  claimed: Claimed,
  part: Delivery,
  signal: AbortSignal,
  dependencies: ReadDependencies & { readonly protocol: ApplyProtocol },
): Promise<KnownAnswer | null> => {
  const { protocol } = dependencies;
  // Of somebody whom the registry has had by itself, it is not known whether it has them still.
  const isKnown = part.action === 'create' && claimed.djangoId !== null;
  if (protocol.comparesExpected() && !isKnown) return null;
  let reading: Reading | null;
  try {
    reading = await readRegistry(claimed, { signal }, dependencies);
  } catch (cause) {
    // That this one member cannot be read says nothing about the registry, and the companion app compares by itself.
    if (!isSyncError(cause, 'member_invalid')) throw cause;
    if (!(await dependencies.registryMembers.isVersioned({ signal }))) throw cause;
    protocol.learn(true);
    return null;
  }
  if (reading === null) {
    if (part.action !== 'create') return refusal('unknown_member', 'the registry has no such member');
    return (await isUnderAnotherNumber(claimed, signal, dependencies))
      ? refusal('already_exists', 'the registry has this person under another number')
      : null;
  }
  if (reading.change.version !== null) {
    protocol.learn(true);
    return null;
  }
  const current = valuesIn(reading, part);
  const paths = Object.entries(part.paths);
  const isDone = paths.every(([path, { newValue }]) => holds(current, path, newValue));
  if (isDone) return { status: 'success', version: null, reading };
  if (part.action === 'create') return refusal('already_exists', 'the registry has this member already');
  if (foreignPaths(current, part).length > 0) {
    return { status: 'conflict', current, version: null, changedAt: null, ifState: reading.ifState };
  }
  return null;
};

/**
 * A registration whose member the registry has had by itself, and whose number was corrected since: sent once more, it would
 * make them anew under the wrong number, without what they have said under the right one.
 */
const isUnderAnotherNumber = async (
  { kennitala, djangoId }: Claimed,
  signal: AbortSignal,
  { registryMembers }: ReadDependencies,
): Promise<boolean> => {
  if (djangoId === null) return false;
  const number = await registryMembers.numberOf(djangoId, { signal });
  return number !== null && number !== kennitala;
};

const refusal = (code: string, message: string): ChangeAnswer & { status: 'refused' } => ({
  status: 'refused',
  code,
  message,
});

/** What the registry shows of the fields of a delivery; one that it does not mention is missing. */
export const valuesIn = (
  { change }: Reading,
  { paths }: { readonly paths: Readonly<Record<string, unknown>> },
): Readonly<Record<string, Json>> => {
  const member = applyPatch(null, change.content);
  const values: Record<string, Json> = {};
  for (const path of Object.keys(paths)) {
    if (!isFieldPath(path) || change.content.content[path] === undefined) continue;
    values[path] = toRegistryValue(path, fieldOf(member, path));
  }
  return values;
};

export const holds = (current: Readonly<Record<string, Json>>, path: string, value: Json): boolean =>
  Object.hasOwn(current, path) && isSameJson(path, current[path], value);

/** Fields where the registry shows neither what was expected nor what is told: somebody else wrote there. */
export const foreignPaths = (current: Readonly<Record<string, Json>>, { paths }: Delivery): string[] =>
  Object.keys(paths).filter((path) => {
    const told = paths[path];
    if (told?.expected === undefined || !Object.hasOwn(current, path)) return false;
    return !holds(current, path, told.expected) && !holds(current, path, told.newValue);
  });

/** Somebody wrote to the document since, and what was read may be older than that. */
export const isOutdated = ({ stored, state }: MemberView, { change, ifState }: Reading): boolean =>
  change.version === null ? ifState !== state : (stored?.meta.source_version ?? -1) > change.version;

/**
 * Shows what the registry holds, except where an edit still waits or a consent is withdrawn. A version that the portal
 * has already is applied once more, since the edit that has just ended lay over it.
 */
export const planReading = (
  stored: StoredMember | null,
  waiting: readonly QueueItem[],
  reading: Reading | null,
  withdrawn: Withdrawals,
  now: Date,
): MemberUpdate | null => {
  if (stored === null) return null;
  const known = { ...stored, meta: { ...stored.meta, withdrawn } };
  const marked = isDeepStrictEqual(stored.meta.withdrawn ?? {}, withdrawn)
    ? null
    : { values: {}, meta: known.meta };
  if (reading === null) return marked;
  const pending = waiting.flatMap(({ changes, editedAt }) => editsOf(changes, dateOf(editedAt)));
  // The stored row id stays. A new one comes with a mirror, which then looks for what the person withdrew under another
  // number.
  const content = { ...reading.change.content, djangoId: stored.meta.django_id };
  const decision = decideChange(
    known,
    { ...reading.change, content },
    { pending, origin: 'two-way', now, comesOver: 'any' },
  );
  if (decision.kind !== 'write') return marked;
  const values = Object.fromEntries(
    (decision.differences ?? []).map(({ path, newValue }) => [path, newValue]),
  );
  const { origin: _origin, ...meta } = decision.meta;
  return { values: values as Partial<FieldValues>, meta };
};

/** The member's withdrawals, with those that a delivery told. */
export const withdrawnAfter = (stored: StoredMember | null, { paths }: Delivery): Withdrawals =>
  withWithdrawals(
    stored?.meta.withdrawn,
    Object.entries(paths).map(([path, { newValue: value, editedAt }]) => ({
      path,
      value,
      editedAt: dateOf(editedAt),
    })),
  );

const editsOf = (changes: QueueItem['changes'], editedAt: Date): PendingEdit[] =>
  Object.entries(changes).map(([path, { oldValue: from, newValue: value }]) => ({
    path,
    value,
    from,
    editedAt,
  }));

/**
 * The fields of a document that are to show another value now that the edits of them have ended. A field is left alone
 * while it holds a value that none of those edits started from or led to, or a consent that nobody has heard of: then that
 * value's own event, or the registry's, is on its way.
 *
 * @param ended The items whose edits have ended.
 * @param values What is right now, by path.
 * @param withdrawn Consents that nothing switches on again.
 */
export const planShown = (
  { member, meta }: StoredMember,
  ended: readonly QueueItem[],
  values: Readonly<Record<string, Json>>,
  withdrawn: Withdrawals = {},
): Partial<FieldValues> => {
  const shown: Partial<Record<FieldPath, unknown>> = {};
  const unheard = unheardConsents(member, meta.heard);
  for (const [path, json] of Object.entries(values)) {
    const value = tryFieldValue(path, json);
    if (!isFieldPath(path) || value === undefined) continue;
    const held = fieldOf(member, path);
    if (isSameValue(path, held, value) || path in unheard) continue;
    if (value === true && isConsentPath(path) && withdrawn[path] !== undefined) continue;
    const isKnown = knownValues(ended, path).some((known) => isSameJson(path, known, held));
    if (isKnown) shown[path] = value;
  }
  return shown as Partial<FieldValues>;
};

/** Every value that these edits of a field started from or led to. */
const knownValues = (items: readonly QueueItem[], path: string): Json[] =>
  items
    .map(({ changes, settled }) => changes[path] ?? settled[path])
    .filter((edit) => edit !== undefined)
    .flatMap(({ oldValue, newValue }) => [oldValue, newValue]);

/** The values without those of fields that still wait. */
export const withoutWaiting = (
  values: Readonly<Record<string, Json>>,
  waiting: readonly QueueItem[],
): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(values).filter(([path]) => !waiting.some(({ changes }) => Object.hasOwn(changes, path))),
  );

/** The member with the fields that still wait at what the registry is expected to hold there. */
export const asRegistryHasIt = (member: Member, waiting: readonly QueueItem[]): Member => {
  const values: Record<string, unknown> = {};
  for (const [path, { expected }] of mergeEdits(waiting)) {
    const value = tryFieldValue(path, expected);
    if (value !== undefined) values[path] = value;
  }
  return withFields(member, values as Partial<FieldValues>);
};
