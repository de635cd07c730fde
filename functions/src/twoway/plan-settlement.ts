import type { Kennitala } from '../domain/kennitala.ts';
import { asHeard, type StoredMember } from '../domain/member/decide-change.ts';
import { type FieldValues, type Json, withFields } from '../domain/member/fields.ts';
import { unheardConsents, withoutWithdrawals, withWithdrawals } from '../domain/member/kept-values.ts';
import type { Member } from '../domain/member/member.ts';
import { sourceHash } from '../domain/member/patch.ts';
import { type Claimed, endPaths, holdsClaim, type SettleOutcome, withDelivery } from './delivery.ts';
import type { MemberUpdate, MemberView, Step } from './ports.ts';
import {
  type Delivery,
  dateOf,
  isPending,
  mergeEdits,
  type QueueItem,
  settlePaths,
  tryFieldValue,
} from './queue.ts';
import {
  asRegistryHasIt,
  holds,
  isOutdated,
  planReading,
  planShown,
  type Reading,
  valuesIn,
  withdrawnAfter,
  withoutWaiting,
} from './reading.ts';

export interface Delivered {
  /** What was told; with a split delivery less than what is claimed. */
  readonly part: Delivery;
  /** Of the member in the registry after it; null when it has none. */
  readonly version: number | null;
  /** What the registry says by now, where that had to be asked. */
  readonly reading: Reading | null;
}

/** For the operator, after the field's path: the registry said that all is well and holds another value. */
export const NOT_TAKEN = 'the registry did not take this field';

/**
 * The registry has answered that it has what was told: in one transaction the items end and the member's document says
 * so. An answer without a version proves nothing: what the reading does not show was not written, and is a dead letter.
 */
export const planDelivered = (
  view: MemberView,
  claimed: Claimed,
  { part, version, reading }: Delivered,
  now: Date,
): Step<SettleOutcome> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  if (reading !== null && isOutdated(view, reading)) return { result: { kind: 'read' } };
  const untaken = version === null ? untakenPaths(part, reading) : [];
  const { items, rest } = endPaths(view.pending, claimed, part, now, (isLast, path) => {
    if (!isLast) return { outcome: 'superseded' };
    if (!untaken.includes(path)) return { outcome: 'synced' };
    const oldValue = part.paths[path]?.expected;
    return { outcome: 'failed', message: `${path}: ${NOT_TAKEN}`, oldValue };
  });
  const waiting = items.filter(isPending);
  let member: MemberUpdate | null = null;
  if (reading !== null || version === null) {
    const marked = withdrawnAfter(view.stored, part);
    const taken = Object.keys(part.paths).filter((path) => !untaken.includes(path));
    const withdrawn = withoutWithdrawals(marked, taken);
    const stored = part.action === 'create' ? withNewId(view.stored, reading) : view.stored;
    member = planReading(stored, waiting, reading, withdrawn, now);
  } else if (view.stored !== null) {
    member = planUpdate(view.stored, view.pending, waiting, part, version);
    if (member === null) return { result: { kind: 'read' } };
  }
  return {
    items: items.filter((item, n) => item !== view.pending[n]),
    member,
    result: {
      kind: 'settled',
      outcome: untaken.length > 0 ? 'failed' : 'synced',
      next: rest === null ? null : { ...claimed, delivery: rest },
      hasMore: waiting.length > 0,
    },
  };
};

/** Of the row that the registration has made: nobody had it before. */
const withNewId = (stored: StoredMember | null, reading: Reading | null): StoredMember | null => {
  if (stored === null || reading === null) return stored;
  const django_id = stored.meta.django_id ?? reading.change.content.djangoId;
  return { ...stored, meta: { ...stored.meta, django_id } };
};

/** The paths at which the registry does not show what was sent: all of them for a member whom it does not have. */
export const untakenPaths = (part: Delivery, reading: Reading | null): string[] => {
  const shown = reading === null ? {} : valuesIn(reading, part);
  return Object.keys(part.paths).filter((path) => !holds(shown, path, part.paths[path]?.newValue ?? null));
};

/**
 * Null when the portal has heard of a later version and the document differs from it: what else was written there is
 * not known here, so the registry has to be asked.
 */
const planUpdate = (
  stored: StoredMember,
  ended: readonly QueueItem[],
  waiting: readonly QueueItem[],
  part: Delivery,
  version: number,
): MemberUpdate | null => {
  const told = toldBy(part);
  const meta = {
    ...stored.meta,
    withdrawn: withoutWithdrawals(stored.meta.withdrawn, Object.keys(told)),
  };
  const isAsSaid = (member: Member): boolean => sourceHash(member) === meta.source_hash;
  const heard = asHeard(stored);
  const known = meta.source_version ?? -1;
  if (known > version) return isAsSaid(asRegistryHasIt(heard, waiting)) ? { values: {}, meta } : null;
  const values = planShown(stored, ended, withoutWaiting(told, waiting));
  // The webhook of this very change has been here.
  if (known === version) return { values, meta };
  const after = withFields(asRegistryHasIt(heard, waiting), valuesOf(told));
  return {
    values,
    meta: {
      ...meta,
      source_version: versionBefore(version) ?? meta.source_version,
      // Where the registry had said something else than the edits started from, its last word stays on record.
      source_hash: isAsSaid(asRegistryHasIt(heard, ended)) ? sourceHash(after) : meta.source_hash,
    },
  };
};

const valuesOf = (told: Readonly<Record<string, Json>>): Partial<FieldValues> =>
  Object.fromEntries(
    Object.entries(told).flatMap(([path, json]) => {
      const value = tryFieldValue(path, json);
      return value === undefined ? [] : [[path, value]];
    }),
  );

const toldBy = ({ paths }: Delivery): Record<string, Json> =>
  Object.fromEntries(Object.entries(paths).map(([path, { newValue }]) => [path, newValue]));

/**
 * One less than what the registry answered. Everything older than our change is superseded by it; but the change itself
 * may carry more than ours, since somebody may have edited the member in the registry after what the portal last
 * heard. Its own webhook brings the whole member, so it must not look stale when it comes.
 */
const versionBefore = (version: number): number | null => (version === 0 ? null : version - 1);

export interface Refusal {
  /** For the operator: the registry's own code and message. */
  readonly message: string;
  /** What the registry shows of the member since; null when it shows none, or nothing is to be shown. */
  readonly reading: Reading | null;
}

/**
 * The registry does not take what was told, and never will: a dead letter at once. The portal goes back to what the
 * registry holds, since nothing is on its way any more; the value stays in the queue. What went with a registration of
 * somebody whom the registry has by itself is an edit like any other, and goes alone.
 */
export const planRefused = (
  view: MemberView,
  claimed: Claimed,
  part: Delivery,
  { message, reading }: Refusal,
  now: Date,
): Step<SettleOutcome> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  if (reading !== null && isOutdated(view, reading)) return { result: { kind: 'read' } };
  const isTheirs = part.action === 'create' && reading !== null;
  const { items: ended, rest } = endPaths(view.pending, claimed, part, now, (isLast, path, { action }) => {
    if (isTheirs && action === 'update') return null;
    const expected = part.paths[path]?.expected;
    return isLast ? { outcome: 'failed', message, oldValue: expected } : { outcome: 'superseded' };
  });
  const items = isTheirs
    ? ended.map((item) => (isPending(item) ? { ...item, nextAttemptAt: now } : item))
    : ended;
  const waiting = items.filter(isPending);
  return {
    items: items.filter((item, n) => item !== view.pending[n]),
    member: planReading(view.stored, waiting, reading, withdrawnAfter(view.stored, part), now),
    result: {
      kind: 'settled',
      outcome: 'failed',
      next: rest === null ? null : { ...claimed, delivery: rest },
      hasMore: waiting.length > 0,
    },
  };
};

/**
 * Moves everything that waits for a member to the number that they have now, to be delivered anew. That number may have
 * no document yet in which a refused withdrawal could be marked; so the document of the former number keeps the mark,
 * and whoever writes the first document of the new number finds it there. A consent about which that document holds a word
 * that nobody has heard does not move: the document of the new number knows nothing of that later word.
 */
export const planMove = (
  view: MemberView,
  claimed: Claimed,
  kennitala: Kennitala,
  now: Date,
): Step<boolean> => {
  if (!holdsClaim(view, claimed)) return { result: false };
  const { stored, pending } = view;
  const unheard = stored === null ? {} : unheardConsents(stored.member, stored.meta.heard);
  const items = pending.map((item) => {
    const moved = {
      ...item,
      kennitala,
      isMoved: true as const,
      delivery: null,
      claim: null,
      nextAttemptAt: now,
    };
    return settlePaths(moved, (path) => (path in unheard ? { outcome: 'superseded' } : null), now);
  });
  const told = [...mergeEdits(pending)].map(([path, { newValue: value, editedAt }]) => ({
    path,
    value,
    editedAt: dateOf(editedAt),
  }));
  const member =
    stored === null
      ? null
      : {
          values: {},
          meta: { ...stored.meta, withdrawn: withWithdrawals(stored.meta.withdrawn, told) },
        };
  return { items, member, result: true };
};

const FIRST_DELAY_MS = 30_000;
const LONGEST_DELAY_MS = 24 * 60 * 60_000;

/** What a failed try left: when the next one is, or that there is none. */
type FailedTry =
  | { readonly kind: 'waiting'; readonly until: Date }
  | { readonly kind: 'dead' }
  | { readonly kind: 'lost' };

/**
 * 30 s, 1 min, 2 min … 24 h, each less up to a half by chance, so that what failed together does not come back together.
 * @param tries Failed ones, the last included. @param random From 0 to 1.
 */
export const nextDelayMs = (tries: number, random: number): number =>
  Math.round(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(tries - 1, 30)) * (1 - random / 2));

/**
 * The registry could not be reached, or gave no usable answer: the delivery waits, and with it whatever the member
 * edits meanwhile. After three days it is a dead letter.
 */
export const planFailedTry = (
  view: MemberView,
  claimed: Claimed,
  part: Delivery,
  { message, now, random }: { message: string; now: Date; random: number },
): Step<FailedTry> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  const head = view.pending.find(({ delivery }) => delivery !== null);
  if (head === undefined) return { result: { kind: 'lost' } };
  if (now >= head.retryUntil) return planDeadLetter(view, claimed, part, message, now);
  const retryCount = head.retryCount + 1;
  const until = new Date(now.getTime() + nextDelayMs(retryCount, random));
  return {
    items: view.pending.map((item) =>
      item === head
        ? { ...item, retryCount, nextAttemptAt: until, claim: null, errorMessage: message }
        : { ...item, nextAttemptAt: later(item, until) },
    ),
    result: { kind: 'waiting', until },
  };
};

const planDeadLetter = (
  view: MemberView,
  claimed: Claimed,
  part: Delivery,
  message: string,
  now: Date,
): Step<FailedTry> => {
  const { items } = endPaths(view.pending, claimed, part, now, (isLast, path) =>
    isLast ? { outcome: 'failed', message, oldValue: part.paths[path]?.expected } : { outcome: 'superseded' },
  );
  const left = withDelivery(items, null, null);
  const { stored } = view;
  const withdrawn = withdrawnAfter(stored, part);
  return {
    items: left.filter((item, n) => item !== view.pending[n]),
    member:
      stored === null
        ? null
        : {
            values: planShown(stored, view.pending, expectedBy(part), withdrawn),
            meta: { ...stored.meta, withdrawn },
          },
    result: { kind: 'dead' },
  };
};

/**
 * The best that is known of what the registry holds: nothing is on its way there any more, so the portal must show no
 * more than that.
 */
const expectedBy = ({ paths }: Delivery): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(paths).flatMap(([path, { expected }]) =>
      expected === undefined ? [] : [[path, expected]],
    ),
  );

const later = ({ nextAttemptAt }: QueueItem, until: Date): Date =>
  nextAttemptAt > until ? nextAttemptAt : until;
