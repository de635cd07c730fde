import type { FieldJson, Json } from '../domain/member/fields.ts';
import { isWithdrawal, withoutWithdrawals } from '../domain/member/kept-values.ts';
import { type ConflictRecord, decideConflict, type PathConflict } from './conflict.ts';
import { type Claimed, holdsClaim, planDelivery, type SettleOutcome, withDelivery } from './delivery.ts';
import type { ConflictAnswer, MemberUpdate, MemberView, Step } from './ports.ts';
import {
  compareEditTimes,
  dateOf,
  inEditOrder,
  isCancelled,
  isPending,
  isSameJson,
  type MergedEdit,
  type MergedEdits,
  mergeEdits,
  type QueueItem,
  settlePaths,
} from './queue.ts';
import { planShown } from './reading.ts';

/** How long an edit can be on its way to the queue behind a later one: events of one document come in any order. */
export const LATE_EVENT_MS = 20_000;
const LOOK_AGAIN_MS = 5_000;

/**
 * The registry holds something that is neither what was expected nor what was told. Everything that waits is looked at
 * again together, since edits may have arrived that explain it; what they do not explain is a conflict, decided path by
 * path. Where the portal wins, its change is sent once more, now over what the registry holds, and only after the conflict
 * is on record.
 * @param view With all of the member's items.
 */
export const planConflict = (
  view: MemberView,
  claimed: Claimed,
  answer: ConflictAnswer,
  now: Date,
): Step<SettleOutcome> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  if (isOutdated(view, answer)) return sendAnew(view.pending, claimed);
  const merged = mergeEdits(view.pending);
  const isStillOurs = (path: string): boolean =>
    isSameJson(path, lastTold(view.later, path), answer.current[path]);
  const disputed = [...merged].filter(
    ([path, edit]) => isDisputed(path, edit, answer.current) && !isStillOurs(path),
  );
  const late = disputed.find(([, edit]) => mayBeLate(edit, now));
  if (late !== undefined) return giveBack(view.pending, now);

  const paths = Object.fromEntries(
    disputed.map(([path, edit]) => [
      path,
      toPathConflict(edit, answer.current[path] ?? null, answer.changedAt),
    ]),
  );
  const takenBack = [...merged].filter(
    ([path, edit]) =>
      isTakenBack(path, edit, answer.current) &&
      !isStillOurs(path) &&
      (!isWithdrawal(path, edit.newValue) || isLaterWord(edit, answer)),
  );
  const lost = [
    ...takenBack.map(([path]) => path),
    ...Object.keys(paths).filter((path) => paths[path]?.winner === 'registry'),
  ];
  const ended = view.pending.map((item) => settleLost(item, lost, merged, now));
  const delivery = planDelivery(ended.filter(isPending), { expected: answer.current });
  const claim = view.pending.find((item) => item.delivery !== null)?.claim ?? null;
  const items = withDelivery(ended, delivery, claim);
  const record: ConflictRecord = {
    id: claimed.delivery.changeId,
    kennitala: claimed.kennitala,
    detectedAt: now,
    paths,
  };
  const next = delivery === null ? null : { ...claimed, delivery, isSplit: false };
  return {
    items: items.filter((item, n) => item !== view.pending[n]),
    member: planRegistrysValue(view, lost, answer.current),
    ...(disputed.length > 0 && { conflicts: [record] }),
    result:
      lost.length === 0 && next !== null
        ? { kind: 'again', next }
        : { kind: 'settled', outcome: 'conflict', next, hasMore: items.some(isPending) },
  };
};

/** The portal has heard of a later change than this answer, or of one that the answer may be older than. */
const isOutdated = ({ stored, state }: MemberView, { version, ifState }: ConflictAnswer): boolean =>
  version === null
    ? ifState !== undefined && ifState !== state
    : (stored?.meta.source_version ?? -1) > version;

/**
 * No conflict where the registry holds a value that the member has had in between: it is theirs, whoever brought it
 * there.
 */
const isDisputed = (path: string, edit: MergedEdit, current: FieldJson): boolean =>
  Object.hasOwn(current, path) &&
  !isCancelled(path, edit) &&
  ![edit.expected, ...edit.ownValues].some((known) => isSameJson(path, known, current[path]));

/** The member went back to what they had started from, and the registry has got another value since: that one stands. */
const isTakenBack = (path: string, edit: MergedEdit, current: FieldJson): boolean =>
  Object.hasOwn(current, path) && isCancelled(path, edit) && !isSameJson(path, edit.newValue, current[path]);

/**
 * Whether the registry's value is beyond doubt later than the edit: only then does it overrule a withdrawn consent. The
 * time of an answer about several fields can be that of another one.
 */
const isLaterWord = ({ editedAt }: MergedEdit, { changedAt, current }: ConflictAnswer): boolean => {
  if (Object.keys(current).length > 1) return false;
  const { winner, reason } = decideConflict(dateOf(editedAt), changedAt);
  return winner === 'registry' && reason === 'later';
};

/** The same once more under another id, or the registry would repeat its answer. */
const sendAnew = (pending: readonly QueueItem[], claimed: Claimed): Step<SettleOutcome> => {
  const claim = pending.find((item) => item.delivery !== null)?.claim ?? null;
  const delivery = planDelivery(pending, { tellsCancelled: true });
  const items = withDelivery(pending, delivery, claim);
  return {
    items: items.filter((item, n) => item !== pending[n]),
    result:
      delivery === null
        ? { kind: 'settled', outcome: 'synced', next: null, hasMore: true }
        : { kind: 'again', next: { ...claimed, delivery, isSplit: false } },
  };
};

/**
 * The value of a field that the registry last took from us: while it still holds that, nobody has changed it there. An
 * older event can have shown the member another value, from which their next edit then started.
 */
const lastTold = (items: readonly QueueItem[], path: string): Json | undefined =>
  inEditOrder(items).findLast(({ settled }) => settled[path]?.outcome === 'synced')?.settled[path]?.newValue;

const mayBeLate = ({ isContinuation, firstEditedAt }: MergedEdit, now: Date): boolean =>
  isContinuation && now.getTime() - dateOf(firstEditedAt).getTime() < LATE_EVENT_MS;

/** Nothing was written in the registry: the delivery can be made anew, with what arrives until then. */
const giveBack = (pending: readonly QueueItem[], now: Date): Step<SettleOutcome> => {
  const until = new Date(now.getTime() + LOOK_AGAIN_MS);
  const head = pending.find(({ delivery }) => delivery !== null);
  const items = head === undefined ? [] : [{ ...head, delivery: null, claim: null, nextAttemptAt: until }];
  return { items, result: { kind: 'waiting', until } };
};

const toPathConflict = (
  { expected, newValue, editedAt }: MergedEdit,
  registryValue: Json,
  changedAt: Date | null,
): PathConflict => ({
  expected,
  portal: { value: newValue, editedAt: dateOf(editedAt) },
  registry: { value: registryValue, changedAt },
  ...decideConflict(dateOf(editedAt), changedAt),
  resolution: null,
});

const settleLost = (item: QueueItem, lost: readonly string[], merged: MergedEdits, now: Date): QueueItem =>
  settlePaths(
    item,
    (path) => {
      const edit = merged.get(path);
      if (edit === undefined || !lost.includes(path)) return null;
      const isLast = compareEditTimes(item.editedAt, edit.editedAt) === 0;
      if (isCancelled(path, edit)) return { outcome: 'cancelled' };
      return { outcome: isLast ? 'conflict' : 'superseded' };
    },
    now,
  );

const planRegistrysValue = (
  { stored, pending }: MemberView,
  lost: readonly string[],
  current: FieldJson,
): MemberUpdate | null => {
  if (stored === null || lost.length === 0) return null;
  const values = Object.fromEntries(lost.map((path) => [path, current[path] ?? null]));
  const withdrawn = withoutWithdrawals(stored.meta.withdrawn, lost);
  return { values: planShown(stored, pending, values), meta: { ...stored.meta, withdrawn } };
};
