import type { Fields } from '../evaluator/decide.ts';

/** Registers Iceland's published test persons: nobody's numbers. */
export const OWN_KENNITALA = '0101302399';
export const OTHER_KENNITALA = '0101302989';

const hyphenated = `${OWN_KENNITALA.slice(0, 6)}-${OWN_KENNITALA.slice(6)}`;

export interface Person {
  readonly uid: string;
  /** The custom claims of the ID token. */
  readonly claims: Fields;
}

function person(uid: string, claims: Fields): Person {
  return { uid, claims };
}

const MEMBER = {
  'the member': person('member', { kennitala: OWN_KENNITALA }),
  'the member with a hyphenated claim': person('member-hyphen', { kennitala: hyphenated }),
} as const;

const ADMIN = {
  'an admin': person('admin', { roles: ['admin'] }),
  'a superuser': person('superuser', { roles: ['superuser'] }),
  'an admin of several roles': person('admin-more', { roles: ['editor', 'admin'] }),
} as const;

/** Nobody here may read or write anything. */
const STRANGER = {
  'a signed-out visitor': null,
  'another member': person('other', { kennitala: OTHER_KENNITALA }),
  'a user without claims': person('no-claims', {}),
  'a user whose uid is the kennitala': person(OWN_KENNITALA, {}),
  'a user with the text "admin" as roles': person('roles-text', { roles: 'admin' }),
  'a user with the text "superuser" as roles': person('roles-text-super', { roles: 'superuser' }),
  'a user with a map as roles': person('roles-map', { roles: { admin: true, superuser: true } }),
  'a user with a map of places as roles': person('roles-places', { roles: { 0: 'admin' } }),
  'a user with true as roles': person('roles-true', { roles: true }),
  'a user with null as roles': person('roles-null', { roles: null }),
  'a user with no role in the list': person('roles-empty', { roles: [] }),
  'a user with another role': person('roles-other', { roles: ['editor', 'member'] }),
  'a user with a list in the list of roles': person('roles-nested', { roles: [['admin']] }),
  'a user with a role of a similar name': person('roles-similar', { roles: ['Admin', 'admins', ' admin'] }),
  'a user with the claim admin': person('claim-admin', { admin: true, role: 'admin', superuser: true }),
  'a user with a number as kennitala': person('kt-number', { kennitala: Number(OWN_KENNITALA) }),
  'a user with a list as kennitala': person('kt-list', { kennitala: [OWN_KENNITALA] }),
  'a user with a map as kennitala': person('kt-map', { kennitala: { [OWN_KENNITALA]: true } }),
  'a user with null as kennitala': person('kt-null', { kennitala: null }),
  'a user with an empty kennitala': person('kt-empty', { kennitala: '' }),
  'a user with a hyphen in another place': person('kt-hyphen', {
    kennitala: `${OWN_KENNITALA.slice(0, 4)}-${OWN_KENNITALA.slice(4)}`,
  }),
  'a user with two hyphens': person('kt-hyphens', { kennitala: hyphenated.replace('-', '--') }),
  'a user with a space in the kennitala': person('kt-space', { kennitala: `${OWN_KENNITALA} ` }),
  'a user with a line feed in the kennitala': person('kt-line', { kennitala: `${OWN_KENNITALA}\n` }),
  'a user with a pattern as kennitala': person('kt-pattern', { kennitala: '[0-9]{10}' }),
  'a user with the kennitala under another claim': person('kt-other', { ssn: OWN_KENNITALA }),
} as const;

const BOTH = {
  'a member who is an admin too': person('both', { kennitala: OWN_KENNITALA, roles: ['admin'] }),
} as const;

export const PEOPLE = { ...MEMBER, ...ADMIN, ...STRANGER, ...BOTH };

export type PersonName = keyof typeof PEOPLE;

const namesOf = <T extends object>(group: T): readonly (keyof T & PersonName)[] =>
  Object.keys(group) as (keyof T & PersonName)[];

export const EVERYBODY: readonly PersonName[] = namesOf(PEOPLE);
export const ADMINS: readonly PersonName[] = [...namesOf(ADMIN), ...namesOf(BOTH)];
export const OWNERS: readonly PersonName[] = [...namesOf(MEMBER), ...namesOf(BOTH)];
