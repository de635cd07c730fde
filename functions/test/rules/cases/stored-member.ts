import type { Fields } from '../evaluator/decide.ts';
import { OTHER_KENNITALA, OWN_KENNITALA } from './people.ts';

export const HOME: Fields = {
  street: 'Laugavegur',
  number: 1,
  letter: 'A',
  postal_code: '101',
  city: 'Reykjavík',
  country: 'IS',
  is_default: true,
};

/** What a portal document holds after the registry's mirror wrote it. */
export const PROFILE = {
  kennitala: OWN_KENNITALA,
  name: 'Gervimaður Færeyjar',
  birthday: '1930-01-01',
  email: 'before@example.is',
  phone: '5550001',
  foreign_phone: '+4500000001',
  facebook: 'before',
  gender: 'unknown',
  housing_situation: 'unknown',
  reachable: false,
  groupable: false,
  addresses: [HOME],
} as const satisfies Fields;

export const MEMBER = {
  profile: PROFILE,
  membership: {
    status: 'active',
    date_joined: new Date('2020-01-15T10:30:00Z'),
    unions: [],
    titles: ['Félagi'],
  },
  metadata: {
    django_id: 813,
    source_version: 9,
    source_hash: 'hash',
    origin: 'registry',
    heard: { reachable: true, groupable: true, written_over: {} },
    synced_at: new Date('2026-01-01T00:00:00Z'),
    last_modified: new Date('2026-01-01T00:00:00Z'),
    deleted_at: null,
    schema_version: 1,
  },
} as const satisfies Fields;

export const OWN_PATH = `members/${OWN_KENNITALA}`;
export const OTHER_PATH = `members/${OTHER_KENNITALA}`;

export function withProfile(fields: Fields): Fields {
  return { ...MEMBER, profile: { ...PROFILE, ...fields } };
}
