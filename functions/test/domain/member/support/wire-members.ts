import * as fc from 'fast-check';
import type { Kennitala } from '../../../../src/domain/kennitala.ts';
import { anyKennitala, makeKennitalas } from '../../../support/kennitalas.ts';

const [kennitala, otherKennitala] = makeKennitalas(2) as [Kennitala, Kennitala];
export const KENNITALA = kennitala;
export const OTHER_KENNITALA = otherKennitala;

export const LOCAL_ADDRESS = {
  street: 'Laugavegur',
  number: 1,
  letter: 'A',
  postal_code: 101,
  city: 'Reykjavík',
};

export const FOREIGN_ADDRESS = {
  pk: 1,
  country: 45,
  current: true,
  municipality: 'København',
  postal_code: '1620',
  address: 'Vesterbrogade 3',
};

/** The registry's first spelling, every key said. */
export const NESTED = {
  id: 813,
  ssn: kennitala,
  name: 'Gervimaður Færeyjar',
  birthday: '1990-01-15',
  gender: 1,
  housing_situation: 2,
  reachable: true,
  groupable: true,
  date_joined: '2020-01-15T10:30:00Z',
  contact_info: {
    email: 'felagi@postur.example',
    phone: '5551234',
    foreign_phone: '+4555123456',
    facebook: 'felagi',
  },
  local_address: LOCAL_ADDRESS,
  foreign_addresses: [FOREIGN_ADDRESS],
  unions: [{ name: 'Efling' }, { name: 'Sameyki' }],
  titles: [{ name: 'Gjaldkeri' }],
  version: 9,
};

/** The second spelling. */
export const FLAT = {
  id: 123,
  kennitala,
  name: 'Gervimaður Færeyjar',
  email: 'felagi@postur.example',
  phone: '5551234',
  birthday: '1990-01-15',
  gender: 1,
  housing_situation: 2,
  street_address: 'Laugavegur 1',
  postal_code: '101',
  city: 'Reykjavík',
  reachable: true,
  groupable: true,
  date_joined: '2020-01-15',
};

/** `wire` with the value at `path` replaced; undefined takes the key away. */
export const withAt = (wire: object, path: string, value: unknown): Record<string, unknown> => {
  const [key, ...rest] = path.split('.') as [string, ...string[]];
  const copy: Record<string, unknown> = { ...wire };
  if (rest.length > 0) copy[key] = withAt(copy[key] as object, rest.join('.'), value);
  else if (value === undefined) delete copy[key];
  else copy[key] = value;
  return copy;
};

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('', 'Jón Þór', 'Sigríður'));
const digits = (length: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{${length - 1}}$`));
const phone = fc.oneof(
  fc.constant(''),
  digits(7),
  digits(9).map((number) => `+45${number}`),
);
const word = fc.constantFrom('Laugavegur', 'Skólavörðustígur', 'Hafnargata');

export const anyLocalAddress = fc.record({
  street: word,
  number: fc.option(fc.integer({ min: 1, max: 99_999 })),
  letter: fc.constantFrom('', 'A', 'b'),
  postal_code: fc.integer({ min: 101, max: 999 }),
  city: fc.constantFrom('', 'Reykjavík', 'Akureyri'),
});

const anyForeignAddress = fc.record({
  pk: fc.nat(),
  country: fc.integer({ min: 0, max: 250 }),
  current: fc.boolean(),
  municipality: text,
  postal_code: text,
  address: text,
});

const names = fc.uniqueArray(fc.constantFrom('Efling', 'Sameyki', 'VR', 'Eining'), { maxLength: 4 });

/** Members in the form that the registry writes itself: canonical phones, every key said. */
export const anyWireMember = fc.record({
  id: fc.nat(),
  ssn: anyKennitala,
  name: text,
  birthday: fc.option(fc.constantFrom('1990-01-15', '2000-02-29', '1931-12-31')),
  gender: fc.integer({ min: 0, max: 3 }),
  housing_situation: fc.integer({ min: 0, max: 6 }),
  reachable: fc.boolean(),
  groupable: fc.boolean(),
  date_joined: fc
    .date({ min: new Date('1990-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  contact_info: fc.record({ email: text, phone, foreign_phone: text, facebook: text }),
  local_address: fc.option(anyLocalAddress),
  foreign_addresses: fc.array(anyForeignAddress, { maxLength: 3 }),
  unions: names.map((all) => all.map((name) => ({ name }))),
  titles: names.map((all) => all.map((name) => ({ name }))),
  version: fc.nat(),
});

export type WireMember = typeof anyWireMember extends fc.Arbitrary<infer T> ? T : never;
