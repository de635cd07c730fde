import type { Fields } from '../evaluator/decide.ts';
import { ADMINS, EVERYBODY, OWN_KENNITALA, OWNERS, type PersonName } from './people.ts';
import type { Change, RulesCase } from './rules-case.ts';
import { MEMBER, OTHER_PATH, OWN_PATH, PROFILE } from './stored-member.ts';

const EDIT: Change = { update: { 'profile.email': 'after@example.is' } };
const INACTIVE: Fields = { ...MEMBER, membership: { ...MEMBER.membership, status: 'inactive' } };
const { membership: _, ...WITHOUT_MEMBERSHIP } = MEMBER;

type Row = Omit<RulesCase, 'service' | 'title' | 'expect' | 'who'>;

function forEverybody(row: Row, deed: string, allowed: readonly PersonName[]): readonly RulesCase[] {
  return EVERYBODY.map((who) => ({
    ...row,
    service: 'firestore',
    who,
    title: `${who} ${allowed.includes(who) ? 'may' : 'may not'} ${deed}`,
    expect: allowed.includes(who) ? 'allow' : 'deny',
  }));
}

function byMember(title: string, row: Row, expect: RulesCase['expect']): RulesCase {
  return { ...row, service: 'firestore', who: 'the member', title, expect };
}

const own = { path: OWN_PATH, before: MEMBER } as const;
const others = {
  path: OTHER_PATH,
  before: { ...MEMBER, profile: { ...PROFILE, kennitala: '0101302989' } },
} as const;

/** Who may do what to a member's document, for an edit that is good in itself. */
export const MEMBER_ACCESS_CASES: readonly RulesCase[] = [
  ...forEverybody({ ...own, operation: 'get' }, "get the member's document", [...OWNERS, ...ADMINS]),
  ...forEverybody({ ...own, path: 'members', operation: 'list' }, 'list members', ADMINS),
  ...forEverybody({ ...own, operation: 'update', change: EDIT }, "update the member's email", OWNERS),
  ...forEverybody(
    { path: OWN_PATH, before: null, operation: 'create', change: { set: MEMBER } },
    'create a member',
    [],
  ),
  ...forEverybody({ ...own, operation: 'delete' }, 'delete a member', []),
  ...forEverybody({ ...own, before: INACTIVE, operation: 'get' }, "get the inactive member's document", [
    ...OWNERS,
    ...ADMINS,
  ]),
  ...forEverybody(
    { ...own, before: INACTIVE, operation: 'update', change: EDIT },
    "update the inactive member's email",
    [],
  ),
  byMember("the member may not get another's document", { ...others, operation: 'get' }, 'deny'),
  byMember("the member may not update another's", { ...others, operation: 'update', change: EDIT }, 'deny'),
  byMember("the member may not delete another's", { ...others, operation: 'delete' }, 'deny'),
  byMember(
    'the member may get their own document before it exists',
    { path: OWN_PATH, before: null, operation: 'get' },
    'allow',
  ),
  byMember(
    "the member may not get another's document before it exists",
    { path: OTHER_PATH, before: null, operation: 'get' },
    'deny',
  ),
  byMember(
    'the member may not update a document without membership',
    { path: OWN_PATH, before: WITHOUT_MEMBERSHIP, operation: 'update', change: EDIT },
    'deny',
  ),
  byMember(
    'the member may not update a document whose status is unknown',
    {
      path: OWN_PATH,
      before: { ...MEMBER, membership: { ...MEMBER.membership, status: 'Active' } },
      operation: 'update',
      change: EDIT,
    },
    'deny',
  ),
  byMember(
    'the member may not update a document under the hyphenated kennitala',
    {
      path: `members/${OWN_KENNITALA.slice(0, 6)}-${OWN_KENNITALA.slice(6)}`,
      before: MEMBER,
      operation: 'update',
      change: EDIT,
    },
    'deny',
  ),
];
