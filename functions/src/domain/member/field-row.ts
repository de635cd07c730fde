import type { ZodType } from 'zod';
import type { FieldPatch, FieldPath, FieldValue } from './fields.ts';
import { readAt, type Wire } from './wire.ts';

/** A value as JSON carries it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How one field of the portal's document corresponds to the registry's member. */
export interface FieldRow<P extends FieldPath> {
  readonly portalPath: P;
  /** In both spellings of the registry's member; the first one that a message has counts. */
  readonly registryPaths: readonly string[];
  /** `both`: the member may change it in the portal, and the change goes to the registry. */
  readonly direction: 'both' | 'from-registry';
  /** What null and "" clear it to, and what a new member has when the registry does not say. */
  readonly empty: FieldValue<P>;
  /** Undefined when the registry said nothing. Throws SyncError `member_invalid`. */
  readonly toPortal: (wire: Wire) => FieldPatch<P> | undefined;
  /**
   * The value as a change sent to the registry carries it: the portal's spelling as JSON. The registry's own side knows
   * its columns and its numbers.
   */
  readonly toRegistry: (value: FieldValue<P>) => Json;
  /** Reads the portal's spelling, of any age and author; undefined when it cannot be read. */
  readonly fromPortal: (value: unknown) => FieldValue<P> | undefined;
  /** Two values mean the same when these are equal as JSON. Differences and hashes are made of it. */
  readonly normalise: (value: FieldValue<P>) => Json;
}

/** What values of one kind look like on either side, whichever field holds them. */
export interface FieldKind<T> {
  readonly empty: T;
  /** The registry's value, neither null nor "". */
  readonly registry: ZodType<T>;
  /** The portal's value, not null. */
  readonly portal: ZodType<T>;
  readonly toRegistry: (value: T) => Json;
  readonly normalise: (value: T) => Json;
}

/** The fields that are one value on both sides. */
type PlainPath = Exclude<FieldPath, 'profile.addresses' | 'membership.status'>;

export const plainRow = <P extends PlainPath>(
  portalPath: P,
  direction: FieldRow<P>['direction'],
  registryPaths: readonly string[],
  kind: FieldKind<FieldValue<P>>,
): FieldRow<P> => ({
  portalPath,
  registryPaths,
  direction,
  empty: kind.empty,
  toPortal: (wire) => readAt(wire, registryPaths, kind.registry, kind.empty) as FieldPatch<P> | undefined,
  toRegistry: kind.toRegistry,
  fromPortal: (value) => (value === null ? kind.empty : kind.portal.safeParse(value).data),
  normalise: kind.normalise,
});

/** Values in the portal's spelling, by the field's path. Personal: they go to the queue and the registry alone. */
export type FieldJson = Readonly<Record<string, Json>>;
