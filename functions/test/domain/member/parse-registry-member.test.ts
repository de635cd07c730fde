import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlaceholder } from '../../../src/domain/kennitala.ts';
import { fieldOf } from '../../../src/domain/member/fields.ts';
import { GENDERS, HOUSING_SITUATIONS } from '../../../src/domain/member/member.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch } from '../../../src/domain/member/patch.ts';
import { isSyncError } from '../../../src/lib/errors.ts';
import { anyWireMember, FLAT, KENNITALA, NESTED, OTHER_KENNITALA, withAt } from './support/wire-members.ts';

const read = (wire: unknown) => applyPatch(null, parseRegistryMember(wire));
const hyphenated = `${KENNITALA.slice(0, 6)}-${KENNITALA.slice(6)}`;

const faultOf = (wire: unknown): unknown => {
  try {
    parseRegistryMember(wire);
  } catch (error) {
    if (isSyncError(error, 'member_invalid')) return error.details['path'];
    throw error;
  }
  return 'none';
};

describe('the two spellings of a member', () => {
  it('reads the nested one', () => {
    expect(read(NESTED)).toEqual({
      profile: {
        kennitala: KENNITALA,
        name: 'Gervimaður Færeyjar',
        birthday: '1990-01-15',
        email: 'felagi@postur.example',
        phone: '5551234',
        foreign_phone: '+4555123456',
        facebook: 'felagi',
        gender: 'male',
        housing_situation: 'rental',
        reachable: true,
        groupable: true,
        addresses: [
          {
            street: 'Laugavegur',
            number: 1,
            letter: 'A',
            postal_code: '101',
            city: 'Reykjavík',
            country: 'IS',
            is_default: true,
          },
          {
            street: 'Vesterbrogade 3',
            number: null,
            letter: '',
            postal_code: '1620',
            city: 'København',
            country: '45',
            is_default: false,
          },
        ],
      },
      membership: {
        status: 'active',
        date_joined: new Date('2020-01-15T10:30:00Z'),
        unions: ['Efling', 'Sameyki'],
        titles: ['Gjaldkeri'],
      },
    });
  });

  it('reads the flat one to the same fields', () => {
    const nested = withAt(
      withAt(NESTED, 'local_address.letter', ''),
      'date_joined',
      '2020-01-15T00:00:00+00:00',
    );
    const { foreign_phone: _, facebook: __, addresses: [home] = [], ...profile } = read(nested).profile;
    expect(read(FLAT).profile).toMatchObject({ ...profile, addresses: [home] });
    expect(read(FLAT).membership.date_joined).toEqual(read(nested).membership.date_joined);
  });

  it('tells the row and the version', () => {
    expect(parseRegistryMember(NESTED)).toMatchObject({ djangoId: 813, version: 9 });
    expect(parseRegistryMember(FLAT)).toMatchObject({ djangoId: 123, version: null });
    expect(parseRegistryMember({ ssn: KENNITALA })).toMatchObject({ djangoId: null, version: null });
  });

  it('leaves out keys that it does not know', () => {
    expect(parseRegistryMember({ ...NESTED, password: 'x' })).toEqual(parseRegistryMember(NESTED));
  });
});

describe('the number of a member', () => {
  it.each([
    ['ssn', { ssn: KENNITALA }],
    ['kennitala', { kennitala: KENNITALA }],
    ['a hyphenated ssn', { ssn: hyphenated }],
    ['a hyphenated kennitala', { kennitala: hyphenated }],
    ['both, spelled differently', { ssn: hyphenated, kennitala: KENNITALA }],
    ['one of them empty', { ssn: '', kennitala: KENNITALA }],
  ])('is read from %s', (_title, wire) => {
    expect(parseRegistryMember(wire).kennitala).toBe(KENNITALA);
  });

  it.each([
    ['is missing', {}, 'ssn'],
    ['is null', { ssn: null }, 'ssn'],
    ['has nine digits', { ssn: KENNITALA.slice(1) }, 'ssn'],
    ['has eleven digits', { kennitala: `${KENNITALA}0` }, 'kennitala'],
    ['is a JSON number', { ssn: Number(KENNITALA) }, 'ssn'],
    ['is text', { ssn: 'síminn' }, 'ssn'],
    ['is another one in the other key', { ssn: KENNITALA, kennitala: OTHER_KENNITALA }, 'kennitala'],
  ])('is a fault when it %s', (_title, wire, path) => {
    expect(faultOf(wire)).toBe(path);
  });

  it('may be a placeholder, which whoever reads members skips', () => {
    expect(isPlaceholder(parseRegistryMember({ ssn: '9999123456' }).kennitala)).toBe(true);
  });
});

describe('enumerations', () => {
  it.each(GENDERS.map((name, code) => [code, name] as const))('gender %i is %s', (code, name) => {
    expect(read({ ...NESTED, gender: code }).profile.gender).toBe(name);
  });

  it.each(HOUSING_SITUATIONS.map((name, code) => [code, name] as const))(
    'housing_situation %i is %s',
    (code, name) => {
      expect(read({ ...NESTED, housing_situation: code }).profile.housing_situation).toBe(name);
    },
  );

  it.each([
    ['gender', 4],
    ['gender', -1],
    ['gender', 1.5],
    ['gender', '1'],
    ['gender', 'male'],
    ['gender', true],
    ['housing_situation', 7],
    ['housing_situation', [2]],
  ])('%s %j is a fault of that member, not "unknown"', (key, value) => {
    expect(faultOf({ ...NESTED, [key]: value })).toBe(key);
  });
});

describe('dates', () => {
  it.each([
    ['a date: midnight in Iceland', '2020-01-15', '2020-01-15T00:00:00.000Z'],
    ['a time in UTC', '2020-01-15T10:30:00Z', '2020-01-15T10:30:00.000Z'],
    ['a time with an offset', '2020-01-15T12:30:00+02:00', '2020-01-15T10:30:00.000Z'],
    ['microseconds', '2020-01-15T10:30:00.123456+00:00', '2020-01-15T10:30:00.123Z'],
    ["a time without an offset: Iceland's own", '2020-01-15T10:30:00', '2020-01-15T10:30:00.000Z'],
  ])('date_joined may be %s', (_title, written, instant) => {
    expect(read({ ...NESTED, date_joined: written }).membership.date_joined?.toISOString()).toBe(instant);
  });

  it.each([
    ['birthday', '2001-02-29'],
    ['birthday', '1990-13-01'],
    ['birthday', '15.01.1990'],
    ['birthday', '1990-01-15T00:00:00Z'],
    ['birthday', 19_900_115],
    ['date_joined', '2020-02-30'],
    ['date_joined', '2020-01-15T25:00:00Z'],
    ['date_joined', '2020'],
    ['date_joined', 1_579_084_200],
  ])('%s %j is a fault', (key, value) => {
    expect(faultOf({ ...NESTED, [key]: value })).toBe(key);
  });
});

describe('names of unions and titles', () => {
  it('leaves out repeats and empty names, and keeps the order', () => {
    const unions = [
      { name: 'VR' },
      { name: '' },
      { name: 'Efling' },
      { name: 'VR' },
      { name: null },
      { name: ' ' },
    ];
    expect(fieldOf(read({ ...NESTED, unions }), 'membership.unions')).toEqual(['VR', 'Efling']);
  });
});

describe('what cannot be mapped', () => {
  it.each([
    ['name', 7, 'name'],
    ['name', { first: 'x' }, 'name'],
    ['reachable', 'true', 'reachable'],
    ['groupable', 1, 'groupable'],
    ['contact_info', 'x', 'contact_info'],
    ['contact_info', [], 'contact_info'],
    ['contact_info.phone', 5_551_234, 'contact_info.phone'],
    ['local_address', [], 'local_address'],
    ['local_address.number', 1.5, 'local_address.number'],
    ['local_address.postal_code', -1, 'local_address.postal_code'],
    ['foreign_addresses', {}, 'foreign_addresses'],
    ['foreign_addresses', [null], 'foreign_addresses[0]'],
    ['foreign_addresses', [{ country: 'DK' }], 'foreign_addresses[0].country'],
    ['unions', [{ name: 'VR' }, { name: 3 }], 'unions[1].name'],
    ['titles', ['Gjaldkeri'], 'titles[0]'],
    ['version', -1, 'version'],
    ['version', '9', 'version'],
    ['id', 1.5, 'id'],
  ])('names the path when %s is %j', (key, value, path) => {
    expect(faultOf(withAt(NESTED, key, value))).toBe(path);
  });

  it.each([null, undefined, 'x', 7, [], [NESTED]])('is a member only when it is an object: %j', (json) => {
    expect(faultOf(json)).toBe('member');
  });

  const KEYS = [...new Set([...Object.keys(NESTED), ...Object.keys(FLAT)])];
  const MARK = 'Leyndarmál';
  const poison = fc.oneof(
    fc.jsonValue(),
    fc.constant(MARK),
    fc.constant({ [MARK]: MARK }),
    fc.constant([{ name: { [MARK]: 1 } }]),
    fc.constant([MARK]),
  );

  it('is always a fault that names no value, or a member', () => {
    fc.assert(
      fc.property(anyWireMember, fc.dictionary(fc.constantFrom(...KEYS), poison), (wire, changes) => {
        try {
          applyPatch(null, parseRegistryMember({ ...wire, ...changes }));
        } catch (error) {
          if (!isSyncError(error)) throw error;
          expect(error.code).toBe('member_invalid');
          expect(error.message + JSON.stringify(error.details)).not.toContain(MARK);
          expect(error.message).not.toMatch(/\d{3}/);
          expect(error.cause).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is a fault for JSON of any other kind', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        expect(faultOf(json)).not.toBe('none');
      }),
    );
  });
});
