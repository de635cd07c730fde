import type { ZodType } from 'zod';
import type { Kennitala } from '../kennitala.ts';
import type { AddressPatch } from './addresses.ts';
import type { Member, Membership, Profile } from './member.ts';
import { readAt, type Wire } from './wire.ts';

/** Every field of a member but its key, by its path in the portal's document. */
export type FieldPath = `profile.${Exclude<keyof Profile, 'kennitala'>}` | `membership.${keyof Membership}`;

export type FieldValue<P extends FieldPath> = P extends `profile.${infer K extends keyof Profile}`
  ? Profile[K]
  : P extends `membership.${infer K extends keyof Membership}`
    ? Membership[K]
    : never;

export type FieldValues = { readonly [P in FieldPath]: FieldValue<P> };

/**
 * One field that differs. The path may be logged and counted; **the values are personal**: they go to the member's own
 * document, the queue and an operator's screen, never into a log line, an error or a metric.
 */
export interface FieldDifference<P extends FieldPath = FieldPath> {
  readonly path: P;
  readonly oldValue: FieldValue<P>;
  readonly newValue: FieldValue<P>;
}

/** What the registry said about one field. Addresses come in parts; every other field is said as a whole. */
export type FieldPatch<P extends FieldPath> = P extends 'profile.addresses' ? AddressPatch : FieldValue<P>;

/**
 * What the registry said about a member, and nothing else: a path that is missing leaves the mirror's value alone,
 * an empty value clears it.
 */
export type MemberPatch = { readonly [P in FieldPath]?: FieldPatch<P> };

export const fieldOf = <P extends FieldPath>(member: Member, path: P): FieldValue<P> => {
  const [section, key] = stepsOf(path);
  const values = member[section] as unknown as Readonly<Record<string, unknown>>;
  return values[key] as FieldValue<P>;
};

/** The member with other values in some fields. */
export const withFields = (member: Member, values: Partial<FieldValues>): Member => {
  const given = Object.keys(values) as FieldPath[];
  if (given.length === 0) return member;
  const sections = { profile: { ...member.profile }, membership: { ...member.membership } };
  for (const path of given) {
    const [section, key] = stepsOf(path);
    const copied = sections[section] as unknown as Record<string, unknown>;
    copied[key] = values[path];
  }
  return sections;
};

export const makeMember = (kennitala: Kennitala, values: FieldValues): Member =>
  withFields({ profile: { kennitala }, membership: {} } as Member, values);

type Steps = readonly [keyof Member, string];

/** Cut once: every field of every member is asked for by its path. */
const STEPS = new Map<FieldPath, Steps>();

const stepsOf = (path: FieldPath): Steps => {
  const known = STEPS.get(path);
  if (known !== undefined) return known;
  const steps = path.split('.') as [keyof Member, string];
  STEPS.set(path, steps);
  return steps;
};

/** A value as JSON carries it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** How one field of the portal's document corresponds to the registry's member. */
export interface FieldRow<P extends FieldPath> {
  readonly portalPath: P;
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

/** `registryPaths`: in both spellings of the registry's member; the first one that a message has counts. */
export const plainRow = <P extends PlainPath>(
  portalPath: P,
  direction: FieldRow<P>['direction'],
  registryPaths: readonly string[],
  kind: FieldKind<FieldValue<P>>,
): FieldRow<P> => ({
  portalPath,
  direction,
  empty: kind.empty,
  toPortal: (wire) => readAt(wire, registryPaths, kind.registry, kind.empty) as FieldPatch<P> | undefined,
  toRegistry: kind.toRegistry,
  fromPortal: (value) => (value === null ? kind.empty : kind.portal.safeParse(value).data),
  normalise: kind.normalise,
});

/** Values in the portal's spelling, by the field's path. Personal: they go to the queue and the registry alone. */
export type FieldJson = Readonly<Record<string, Json>>;
