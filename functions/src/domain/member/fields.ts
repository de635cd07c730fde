import type { Kennitala } from '../kennitala.ts';
import type { Member, Membership, Profile } from './member.ts';
import type { AddressPatch } from './registry-addresses.ts';

/** Every field of a member but its key, by its path in the portal's document. */
export type FieldPath = `profile.${Exclude<keyof Profile, 'kennitala'>}` | `membership.${keyof Membership}`;

export type FieldValue<P extends FieldPath> = P extends `profile.${infer K extends keyof Profile}`
  ? Profile[K]
  : P extends `membership.${infer K extends keyof Membership}`
    ? Membership[K]
    : never;

export type FieldValues = { readonly [P in FieldPath]: FieldValue<P> };

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
  const sections = { profile: { ...member.profile }, membership: { ...member.membership } };
  for (const [path, value] of Object.entries(values)) {
    const [section, key] = stepsOf(path as FieldPath);
    const copied = sections[section] as unknown as Record<string, unknown>;
    copied[key] = value;
  }
  return sections;
};

export const makeMember = (kennitala: Kennitala, values: FieldValues): Member =>
  withFields({ profile: { kennitala }, membership: {} } as Member, values);

const stepsOf = (path: FieldPath): ['profile' | 'membership', string] => {
  const dot = path.indexOf('.');
  return [path.startsWith('profile.') ? 'profile' : 'membership', path.slice(dot + 1)];
};
