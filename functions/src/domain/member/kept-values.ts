import { isTwoWayPath, rowOf } from './field-table.ts';
import { type FieldPath, fieldOf, withFields } from './fields.ts';
import type { Member } from './member.ts';
import type { MemberChange } from './member-change.ts';

export const CONSENT_PATHS = ['profile.reachable', 'profile.groupable'] as const;
export type ConsentPath = (typeof CONSENT_PATHS)[number];

/**
 * Consents that the member withdrew in the portal and that the registry is not known to have switched off since, each
 * with the time of the withdrawal. They stand in the metadata of the member's document.
 */
export type Withdrawals = Readonly<Partial<Record<ConsentPath, Date>>>;

/** By path; missing where it is not known. */
export type Consents = Readonly<Partial<Record<ConsentPath, boolean>>>;

/** What the servers know of a member's consents. It stands in the metadata of the member's document. */
export interface Heard {
  /** What they last showed, or were last told by the event of a member's own write. */
  readonly consents: Consents;
  /** When a server last wrote another value than the document had; null: with this write. Earlier words are no news then. */
  readonly writtenOver: Readonly<Partial<Record<ConsentPath, Date | null>>>;
}

/** The platform repeats an event for a day. */
export const EVENT_COMES_MS = 25 * 60 * 60_000;

/**
 * Of a registration whose event is on its way: what it answers about the consents is its member's own, and to be heard. One that
 * it does not hold they were not asked for, and have not said anything of.
 */
export const heardOfRegistration = (answers: Consents): Heard => ({
  consents: Object.fromEntries(CONSENT_PATHS.map((path) => [path, answers[path] === false])),
  writtenOver: {},
});

/**
 * Consents that a document shows otherwise than the servers know: its member has changed them since, and the event of that
 * write is on its way.
 */
export const unheardConsents = (member: Member, { consents: heard = {} }: Partial<Heard> = {}): Consents =>
  Object.fromEntries(
    CONSENT_PATHS.map((path) => [path, fieldOf(member, path)] as const).filter(
      ([path, shown]) => heard[path] !== undefined && heard[path] !== shown,
    ),
  );

export const isConsentPath = (path: string): path is ConsentPath =>
  (CONSENT_PATHS as readonly string[]).includes(path);

/** Whether an edit of the field takes a consent back. */
export const isWithdrawal = (path: string, value: unknown): boolean => isConsentPath(path) && value === false;

/**
 * A consent that its member withdrew stays off whatever the registry says, unless the registry changed it later than
 * they did. A registry that still shows it on has changed nothing: it refused the withdrawal, ignored it, or has not
 * heard of it. Only once the registry has shown it off, or has taken the withdrawal, does a consent that it shows count
 * as a later change. Whoever writes a member's document by the registry's word goes through here.
 *
 * @param said The member as the registry has them.
 * @param pending The member's own edits on their way.
 * @param unheard What they have said later than any of those.
 */
export const keepWithdrawals = (
  said: Member,
  { content, occurredAt }: Pick<MemberChange, 'content' | 'occurredAt'>,
  before: Withdrawals,
  pending: readonly PendingEdit[],
  unheard: Consents = {},
): { readonly member: Member; readonly withdrawn: Withdrawals; readonly kept: readonly ConsentPath[] } => {
  const own: Partial<Record<ConsentPath, boolean>> = { ...unheard };
  const withdrawn: Partial<Record<ConsentPath, Date>> = {};
  for (const path of CONSENT_PATHS) {
    const since = before[path];
    const isSeenOff = content?.content[path] === false && isAfter(occurredAt, since);
    if (since !== undefined && !isSeenOff) withdrawn[path] = since;
    if (own[path] !== undefined) continue;
    const waiting = lastOf(pending, path);
    // An edit that switches it on again is the member's later word, whatever became of the withdrawal.
    const isOff = waiting === undefined ? withdrawn[path] !== undefined : waiting.value === false;
    if (isOff) own[path] = false;
  }
  const kept = CONSENT_PATHS.filter((path) => own[path] !== undefined && own[path] !== fieldOf(said, path));
  return { member: withFields(said, own), withdrawn, kept };
};

/** What another document of the same person holds: their number was corrected in the registry, whose row kept its id. */
export interface FormerDocument {
  readonly withdrawn: Withdrawals;
  readonly pending: readonly PendingEdit[];
  /** Null while the registry has not said that the number is nobody's. */
  readonly deletedAt: Date | null;
}

/**
 * Whether the registry now shows another row under this number than the document holds: the member is new here, is
 * back, or had another id. What the person had said under another number then has to be looked for.
 */
export const isNewNumber = (
  stored: {
    readonly meta: { readonly django_id: number | null; readonly deleted_at: Date | null };
  } | null,
  djangoId: number | null,
): djangoId is number =>
  djangoId !== null &&
  (stored === null || stored.meta.deleted_at !== null || stored.meta.django_id !== djangoId);

/**
 * The withdrawals that follow a person to their new number: those of the document that was theirs last.
 *
 * @param back When this number's own document of the same row was deleted, where they come back to it. Nothing follows that was
 *   theirs before: what they have said since stands there.
 */
export const formerWithdrawals = (
  documents: readonly FormerDocument[],
  back: Date | null = null,
): Withdrawals => {
  const [last] = documents.toSorted((a, b) => timeOf(b.deletedAt) - timeOf(a.deletedAt));
  if (last === undefined || (back !== null && timeOf(last.deletedAt) < back.getTime())) return {};
  const own = CONSENT_PATHS.map((path) => lastOf(last.pending, path)).filter((edit) => edit !== undefined);
  return withWithdrawals(
    withoutWithdrawals(
      last.withdrawn,
      own.map(({ path }) => path),
    ),
    own,
  );
};

const timeOf = (deletedAt: Date | null): number => deletedAt?.getTime() ?? Number.POSITIVE_INFINITY;

/** The withdrawals after edits of a member have come to their end without reaching the registry: a consent given again has none. */
export const withWithdrawals = (
  before: Withdrawals | undefined,
  ended: readonly PendingEdit[],
): Withdrawals => {
  const after: Partial<Record<ConsentPath, Date>> = { ...before };
  for (const { path, value, editedAt } of ended.toSorted(
    (a, b) => a.editedAt.getTime() - b.editedAt.getTime(),
  )) {
    if (!isConsentPath(path)) continue;
    if (value === false) after[path] = editedAt;
    else if (value === true && isAfter(editedAt, after[path])) delete after[path];
  }
  return after;
};

/** The withdrawals after the registry has taken what the member said about these fields. */
export const withoutWithdrawals = (before: Withdrawals | undefined, paths: readonly string[]): Withdrawals =>
  Object.fromEntries(Object.entries(before ?? {}).filter(([path]) => !paths.includes(path)));

/** A reading has no time of its own and tells of now. */
const isAfter = (occurredAt: Date | null, since: Date | undefined): boolean =>
  since === undefined || occurredAt === null || occurredAt > since;

const lastOf = (pending: readonly PendingEdit[], path: ConsentPath): PendingEdit | undefined =>
  pending
    .filter((edit) => edit.path === path)
    .reduce<PendingEdit | undefined>(
      (last, edit) => (last === undefined || edit.editedAt >= last.editedAt ? edit : last),
      undefined,
    );

/** A member's own edit in the portal that has not reached the registry yet. `value` and `from` are personal. */
export interface PendingEdit {
  readonly path: string;
  readonly editedAt: Date;
  /** What it started from, in the portal's spelling; absent where that is not known. */
  readonly from?: unknown;
  /** In the portal's spelling. */
  readonly value: unknown;
}

/**
 * The registry's word about a member, except where the member has said something later that still waits to be
 * delivered: overwriting that would show them their old value until it comes back. Without the time of the registry's
 * change nothing can be called later than it, and the edit stays: its delivery decides, with the expected value.
 *
 * @returns The member to hold, and the paths where an edit was kept.
 */
export const keepPendingEdits = (
  member: Member,
  pending: readonly PendingEdit[],
  occurredAt: Date | null,
): { readonly member: Member; readonly kept: readonly FieldPath[] } => {
  const values = new Map<FieldPath, unknown>();
  for (const edit of pending.toSorted((a, b) => a.editedAt.getTime() - b.editedAt.getTime())) {
    if (!isTwoWayPath(edit.path) || (occurredAt !== null && edit.editedAt <= occurredAt)) continue;
    const value = rowOf(edit.path).fromPortal(edit.value);
    if (value !== undefined) values.set(edit.path, value);
  }
  return { member: withFields(member, Object.fromEntries(values)), kept: [...values.keys()] };
};
