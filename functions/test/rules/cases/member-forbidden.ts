import type { Fields } from '../evaluator/decide.ts';
import type { Json } from '../evaluator/from-json.ts';
import { FULLEST } from './member-addresses.ts';
import { type Change, REMOVE, type RulesCase } from './rules-case.ts';
import { MEMBER, OWN_PATH, PROFILE, withProfile } from './stored-member.ts';

/** Fields that are the registry's or the servers' alone, each with a value of its own type. */
const FORBIDDEN: readonly (readonly [string, Json])[] = [
  ['profile.kennitala', '0101302989'],
  ['profile.name', 'Annað nafn'],
  ['profile.birthday', '1990-01-01'],
  ['profile.gender', 'other'],
  ['profile.housing_situation', 'owner'],
  ['membership.status', 'inactive'],
  ['membership.date_joined', new Date('2000-01-01T00:00:00Z')],
  ['membership.unions', ['Verkalýðsfélag']],
  ['membership.titles', ['Formaður']],
  ['metadata.django_id', 1],
  ['metadata.source_version', 10],
  ['metadata.source_hash', 'other'],
  ['metadata.origin', 'two-way'],
  ['metadata.heard', { reachable: false, groupable: true }],
  ['metadata.heard.reachable', false],
  ['metadata.synced_at', new Date('2030-01-01T00:00:00Z')],
  ['metadata.last_modified', new Date('2030-01-01T00:00:00Z')],
  ['metadata.deleted_at', new Date('2030-01-01T00:00:00Z')],
  ['metadata.schema_version', 2],
];

const ADDED = ['unknown', 'profile.unknown', 'profile.roles', 'membership.unknown', 'metadata.unknown'];
const MAPS = ['profile', 'membership', 'metadata'];
/** Values that a mirror might have stored, and no member could write. */
const ODD_VALUES: Fields = {
  email: 'no address',
  phone: '555-1234 heima',
  foreign_phone: 'heima',
  facebook: null,
  reachable: 'yes',
  groupable: null,
  addresses: 'none',
};

const STORED_FULLEST = FULLEST.map((place) => ({ ...place, city: 'before' }));

const GOOD = { 'profile.email': 'after@example.is' } as const;

function update(
  title: string,
  change: Change,
  expect: RulesCase['expect'] = 'deny',
  before: Fields = MEMBER,
): RulesCase {
  return {
    title,
    service: 'firestore',
    who: 'the member',
    path: OWN_PATH,
    operation: 'update',
    before,
    change,
    expect,
  };
}

/** What a member's update may not touch, alone or hidden in an update that is otherwise good. */
export const MEMBER_FORBIDDEN_CASES: readonly RulesCase[] = [
  ...FORBIDDEN.flatMap(([path, value]) => [
    update(`${path} may not be changed`, { update: { [path]: value } }),
    update(`${path} may not be changed beside a good edit`, { update: { ...GOOD, [path]: value } }),
    update(`${path} may not be removed`, { update: { [path]: REMOVE } }),
    update(`${path} may not become a map`, { update: { [path]: { value } } }),
  ]),
  ...ADDED.flatMap((path) => [
    update(`${path} may not be added`, { update: { [path]: 'x' } }),
    update(`${path} may not be added beside a good edit`, { update: { ...GOOD, [path]: 'x' } }),
  ]),
  ...MAPS.flatMap((path) => [
    update(`${path} may not be removed`, { update: { [path]: REMOVE } }),
    update(`${path} may not become null`, { update: { [path]: null } }),
    update(`${path} may not become a text`, { update: { [path]: 'x' } }),
    update(`${path} may not become empty`, { update: { [path]: {} } }),
  ]),
  update('an unknown field that a server left may not be removed', { update: { note: REMOVE } }, 'deny', {
    ...MEMBER,
    note: 'x',
  }),
  update(
    'an unknown profile field that a server left may not be removed',
    { update: { 'profile.note': REMOVE } },
    'deny',
    {
      ...MEMBER,
      profile: { ...PROFILE, note: 'x' },
    },
  ),
  update('a document of the profile alone may not replace the whole', {
    set: { profile: { ...PROFILE, email: '' } },
  }),
  update('a profile of one field may not replace the whole', {
    update: { profile: { email: 'after@example.is' } },
  }),
  update(
    'a document without a profile may not be given one',
    { update: { profile: { email: '' } } },
    'deny',
    {
      membership: MEMBER.membership,
      metadata: MEMBER.metadata,
    },
  ),
  update('a profile that is no map may not be replaced', { update: { profile: { email: '' } } }, 'deny', {
    ...MEMBER,
    profile: 'x',
  }),

  update(
    'all editable fields may change at once',
    {
      update: {
        ...GOOD,
        'profile.phone': '5551234',
        'profile.foreign_phone': '+4512345678',
        'profile.facebook': 'x',
        'profile.reachable': true,
        'profile.groupable': true,
        'profile.addresses': [],
      },
    },
    'allow',
  ),
  update(
    'ten new addresses with all keys and all other fields may change at once',
    {
      update: {
        'profile.email': `${'a'.repeat(243)}@example.is`,
        'profile.phone': `+${'1'.repeat(15)}`,
        'profile.foreign_phone': '1'.repeat(15),
        'profile.facebook': 'x'.repeat(255),
        'profile.reachable': true,
        'profile.groupable': true,
        'profile.addresses': FULLEST,
      },
    },
    'allow',
    withProfile({ addresses: STORED_FULLEST }),
  ),
  update('a write that changes nothing is harmless', { set: MEMBER }, 'allow'),
  update('an editable field that was never there may be added', { update: GOOD }, 'allow', {
    ...MEMBER,
    profile: { kennitala: PROFILE.kennitala, name: PROFILE.name },
  }),
  ...Object.entries(ODD_VALUES).map(([field, value]) =>
    update(
      `a stored ${field} that the checks would refuse does not lock the other fields`,
      { update: field === 'email' ? { 'profile.facebook': 'after' } : GOOD },
      'allow',
      withProfile({ [field]: value }),
    ),
  ),
  update(
    'a stored value that the checks would refuse may not be replaced by another such',
    { update: { 'profile.phone': '555-9999 heima' } },
    'deny',
    withProfile({ phone: '555-1234 heima' }),
  ),
];
