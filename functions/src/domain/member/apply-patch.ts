import type { Kennitala } from '../kennitala.ts';
import { FIELD_PATHS, rowOf } from './field-table.ts';
import {
  type FieldPath,
  type FieldValues,
  fieldOf,
  type MemberPatch,
  makeMember,
  withFields,
} from './fields.ts';
import type { Member } from './member.ts';
import { mergeAddresses } from './merge-addresses.ts';
import type { ParsedMember } from './parse-registry-member.ts';

/**
 * The member after what the registry said: what it did not mention stays, and a new member has each field's empty
 * value there (so no consent). Whoever the registry shows is a member: the status becomes active.
 */
export const applyPatch = (
  current: Member | null,
  said: Pick<ParsedMember, 'kennitala' | 'content'>,
): Member => {
  const base = current ?? makeEmptyMember(said.kennitala);
  return withFields(base, {
    ...wholeValues(base, said.content),
    'membership.status': 'active',
  });
};

/**
 * A member whom the registry deleted. What the mirror knew stays (they may still read it); one whom it never knew
 * leaves an empty document, which only carries the version that keeps late events out.
 */
export const makeTombstone = (current: Member | null, kennitala: Kennitala): Member =>
  withFields(current ?? makeEmptyMember(kennitala), { 'membership.status': 'inactive' });

const wholeValues = (base: Member, patch: MemberPatch): Partial<FieldValues> => {
  const { 'profile.addresses': addresses, ...values } = patch;
  if (addresses === undefined) return values;
  return {
    ...values,
    'profile.addresses': mergeAddresses(fieldOf(base, 'profile.addresses'), addresses),
  };
};

const makeEmptyMember = (kennitala: Kennitala): Member => {
  const values: Partial<Record<FieldPath, unknown>> = {};
  for (const path of FIELD_PATHS) values[path] = rowOf(path).empty;
  return makeMember(kennitala, values as FieldValues);
};
