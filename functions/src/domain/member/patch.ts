import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Kennitala } from '../kennitala.ts';
import type { AddressPatch, LocalAddress } from './addresses.ts';
import { FIELD_PATHS, rowOf } from './field-table.ts';
import {
  type FieldDifference,
  type FieldPath,
  type FieldValue,
  type FieldValues,
  fieldOf,
  type Json,
  type MemberPatch,
  makeMember,
  withFields,
} from './fields.ts';
import { type Address, ICELAND, type Member } from './member.ts';
import type { ParsedMember } from './parse-registry-member.ts';

/** What differs in meaning, in the field table's order. Two spellings of one phone, or another order of titles, do not. */
export const diffMembers = (before: Member, after: Member): FieldDifference[] =>
  FIELD_PATHS.map((path) => ({
    path,
    oldValue: fieldOf(before, path),
    newValue: fieldOf(after, path),
  })).filter(({ path, oldValue, newValue }) => !isSameValue(path, oldValue, newValue));

/** Whether two values of a field mean the same: by this a conflict is told from another spelling. */
export const isSameValue = <P extends FieldPath>(
  path: P,
  one: FieldValue<P>,
  other: FieldValue<P>,
): boolean => isDeepStrictEqual(rowOf(path).normalise(one), rowOf(path).normalise(other));

/** Every field's normal form, in the table's order. */
const normalisedFields = (member: Member): Json[] =>
  FIELD_PATHS.map((path) => rowOf(path).normalise(fieldOf(member, path)));

/** Changes when the meaning of the hash does, so that an old hash never passes for a new one. */
const SCHEME = 'member/1';

/**
 * SHA-256 (hex) over everything that is mapped, in the field table's order and normal form: two members have the same
 * hash exactly when `diffMembers` finds nothing between them.
 */
export const sourceHash = (member: Member): string => {
  const known = HASHES.get(member);
  if (known !== undefined) return known;
  const made = hash('sha256', JSON.stringify([SCHEME, member.profile.kennitala, normalisedFields(member)]));
  HASHES.set(member, made);
  return made;
};

/** Of one member it is asked for where they are compared, decided and written. Members are never changed in place. */
const HASHES = new WeakMap<Member, string>();

/**
 * The member after what the registry said: what it did not mention stays, and a new member has each field's empty
 * value there (so no consent). Whoever the registry shows is a member: the status becomes active.
 */
export const applyPatch = (
  current: Member | null,
  said: Pick<ParsedMember, 'kennitala' | 'content'>,
): Member => {
  if (current !== null) return patched(current, said.content);
  const known = FIRST_WORDS.get(said.content);
  if (known?.profile.kennitala === said.kennitala) return known;
  const made = patched(makeEmptyMember(said.kennitala), said.content);
  FIRST_WORDS.set(said.content, made);
  return made;
};

/** Who is new is compared, decided and written by the same word. */
const FIRST_WORDS = new WeakMap<MemberPatch, Member>();

/**
 * A member whom the registry deleted. What the mirror knew stays (they may still read it); one whom it never knew
 * leaves an empty document, which only carries the version that keeps late events out.
 */
export const makeTombstone = (current: Member | null, kennitala: Kennitala): Member =>
  withFields(current ?? makeEmptyMember(kennitala), { 'membership.status': 'inactive' });

const patched = (base: Member, patch: MemberPatch): Member => {
  const { 'profile.addresses': addresses } = patch;
  const values: MemberPatch = { ...patch, 'membership.status': 'active' };
  return withFields(base, {
    ...(values as Partial<FieldValues>),
    ...(addresses !== undefined && {
      'profile.addresses': mergeAddresses(fieldOf(base, 'profile.addresses'), addresses),
    }),
  });
};

let empty: Member | null = null;

const makeEmptyMember = (kennitala: Kennitala): Member => {
  if (empty === null) {
    const values: Partial<Record<FieldPath, unknown>> = {};
    for (const path of FIELD_PATHS) values[path] = rowOf(path).empty;
    empty = makeMember(kennitala, values as FieldValues);
  }
  return { profile: { ...empty.profile, kennitala }, membership: empty.membership };
};

/**
 * The addresses after what the registry said. The registry keeps one local address, so its word about that one
 * replaces every local address of the list, and its list of foreign ones replaces every foreign one.
 */
export const mergeAddresses = (current: readonly Address[], patch: AddressPatch): readonly Address[] => {
  const locals = current.filter(isLocal);
  const local = patch.local === undefined ? locals : mergedLocal(locals[0], patch.local);
  const foreign = patch.foreign ?? current.filter((address) => !isLocal(address));
  return withOneDefault([...local, ...foreign]);
};

const mergedLocal = (
  before: Address | undefined,
  patch: Partial<LocalAddress> | null,
): readonly Address[] => {
  if (patch === null) return [];
  const merged = { ...(before ?? NOWHERE), ...patch };
  const { street, number, letter, postal_code, city } = merged;
  const isBlank = number === null && [street, letter, postal_code, city].every((part) => part.trim() === '');
  return isBlank ? [] : [merged];
};

/** The first local address, else the first that is marked (the registry's current one), else the first. */
const withOneDefault = (addresses: readonly Address[]): readonly Address[] => {
  const chosen = addresses.find(isLocal) ?? addresses.find((address) => address.is_default) ?? addresses[0];
  return addresses.map((address) => ({ ...address, is_default: address === chosen }));
};

const isLocal = (address: Address): boolean => address.country === ICELAND;

const NOWHERE: Address = {
  street: '',
  number: null,
  letter: '',
  postal_code: '',
  city: '',
  country: ICELAND,
  is_default: false,
};
