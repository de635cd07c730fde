import type { StoredMember } from '../domain/member/decide-change.ts';
import type { Json } from '../domain/member/field-row.ts';
import { type FieldValues, withFields } from '../domain/member/fields.ts';
import { sourceHash } from '../domain/member/source-hash.ts';
import { type Claimed, type Delivery, isPending } from './delivery.ts';
import { endPaths, holdsClaim } from './end-paths.ts';
import { tryFieldValue } from './field-json.ts';
import { isOutdated, planReading, type Reading } from './plan-reading.ts';
import type { MemberUpdate, MemberView, Step } from './ports.ts';
import type { QueueItem } from './queue-item.ts';
import { asRegistryHasIt } from './registry-view.ts';
import type { SettleOutcome } from './settle-outcome.ts';
import { planShown, withoutWaiting } from './show-value.ts';

export interface Delivered {
  /** What was told; with a split delivery less than what is claimed. */
  readonly part: Delivery;
  /** Of the member in the registry after it; null when it has none. */
  readonly version: number | null;
  /** What the registry says by now, where that had to be asked. */
  readonly reading: Reading | null;
}

/** The registry has what was told: in one transaction the items end and the member's document knows it. */
export const planDelivered = (
  view: MemberView,
  claimed: Claimed,
  { part, version, reading }: Delivered,
  now: Date,
): Step<SettleOutcome> => {
  if (!holdsClaim(view, claimed)) return { result: { kind: 'lost' } };
  if (reading !== null && isOutdated(view, reading)) return { result: { kind: 'read' } };
  const { items, rest } = endPaths(view.pending, claimed, part, now, (isLast) => ({
    outcome: isLast ? 'synced' : 'superseded',
  }));
  const waiting = items.filter(isPending);
  let member: MemberUpdate | null = null;
  if (reading !== null) member = planReading(view, waiting, reading, now);
  else if (view.stored !== null) {
    member = planUpdate(view.stored, view.pending, waiting, part, version);
    if (member === null) return { result: { kind: 'read' } };
  }
  return {
    items: items.filter((item, n) => item !== view.pending[n]),
    member,
    result: {
      kind: 'settled',
      outcome: 'synced',
      next: rest === null ? null : { ...claimed, delivery: rest },
      hasMore: waiting.length > 0,
    },
  };
};

/**
 * Null when the portal has heard of a later version and the document is not what that version said: what was laid over
 * it is not known here, so the registry has to be asked.
 */
const planUpdate = (
  { member, meta }: StoredMember,
  ended: readonly QueueItem[],
  waiting: readonly QueueItem[],
  part: Delivery,
  version: number | null,
): MemberUpdate | null => {
  const told = toldBy(part);
  const values = planShown(member, ended, withoutWaiting(told, waiting));
  const known = meta.source_version ?? -1;
  if (version !== null && known > version) {
    return sourceHash(asRegistryHasIt(member, waiting)) === meta.source_hash ? { values: {}, meta } : null;
  }
  // The webhook of this very change has been here.
  if (version !== null && known === version) return { values, meta };
  // Where the registry had said something else than the edits started from, its last word stays on record.
  const isAsExpected = sourceHash(asRegistryHasIt(member, ended)) === meta.source_hash;
  const held = withFields(asRegistryHasIt(withFields(member, values), waiting), valuesOf(told));
  return {
    values,
    meta: {
      ...meta,
      source_version: versionBefore(version) ?? meta.source_version,
      source_hash: isAsExpected ? sourceHash(held) : meta.source_hash,
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
const versionBefore = (version: number | null): number | null =>
  version === null || version === 0 ? null : version - 1;
