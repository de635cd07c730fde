import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePortalMember } from '../../../src/adapters/firestore/member-document.ts';
import type { Address } from '../../../src/domain/member/member.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch } from '../../../src/domain/member/patch.ts';
import {
  anyWireMember,
  FLAT,
  FOREIGN_ADDRESS,
  KENNITALA,
  LOCAL_ADDRESS,
  NESTED,
  withAt,
} from './support/wire-members.ts';

const HOME: Address = {
  street: 'Laugavegur',
  number: 1,
  letter: 'A',
  postal_code: '101',
  city: 'Reykjavík',
  country: 'IS',
  is_default: true,
};
const ABROAD: Address = {
  street: 'Vesterbrogade 3',
  number: null,
  letter: '',
  postal_code: '1620',
  city: 'København',
  country: '45',
  is_default: false,
};

const holding = (addresses: unknown) =>
  parsePortalMember(KENNITALA, { profile: { addresses }, membership: { status: 'active' } });

const after = (stored: unknown, said: object): readonly Address[] =>
  applyPatch(holding(stored), parseRegistryMember({ ssn: KENNITALA, ...said })).profile.addresses;

describe('what the registry says about addresses', () => {
  const STORED = [HOME, ABROAD];
  const SECOND_HOME = { ...HOME, street: 'Hafnargata', is_default: false };

  it.each<[string, readonly Address[], object, readonly Address[]]>([
    ['nothing: all stay', STORED, {}, STORED],
    [
      'nothing: even two homes and no default stay',
      [SECOND_HOME, SECOND_HOME],
      {},
      [SECOND_HOME, SECOND_HOME],
    ],
    [
      'the same: all stay',
      STORED,
      { local_address: LOCAL_ADDRESS, foreign_addresses: [FOREIGN_ADDRESS] },
      STORED,
    ],
    ['a home alone: the foreign ones stay', [ABROAD], { local_address: LOCAL_ADDRESS }, STORED],
    [
      'one home where the member had two: it is the one',
      [HOME, SECOND_HOME],
      { local_address: LOCAL_ADDRESS },
      [HOME],
    ],
    [
      'no home: the foreign one becomes the default',
      STORED,
      { local_address: null },
      [{ ...ABROAD, is_default: true }],
    ],
    ['"" for the home', STORED, { local_address: '' }, [{ ...ABROAD, is_default: true }]],
    ['no foreign ones', STORED, { foreign_addresses: [] }, [HOME]],
    ['null for the foreign ones', STORED, { foreign_addresses: null }, [HOME]],
    ['nothing is left', STORED, { local_address: null, foreign_addresses: [] }, []],
    [
      'a part of the home: the other parts stay',
      STORED,
      { local_address: { city: 'Akureyri' } },
      [{ ...HOME, city: 'Akureyri' }, ABROAD],
    ],
    [
      'null for a part of it',
      STORED,
      { local_address: { letter: null, number: null } },
      [{ ...HOME, letter: '', number: null }, ABROAD],
    ],
    [
      'a home whose parts are all empty is none',
      [HOME],
      { local_address: { street: '', number: null, letter: '', postal_code: 0, city: '' } },
      [],
    ],
    ['the flat spelling of a part', STORED, { city: 'Akureyri' }, [{ ...HOME, city: 'Akureyri' }, ABROAD]],
    [
      'the flat street: its number and letter are said too',
      STORED,
      { street_address: 'Hafnargata 5' },
      [{ ...HOME, street: 'Hafnargata', number: 5, letter: '' }, ABROAD],
    ],
    [
      'the flat street that cannot be split safely',
      [HOME],
      { street_address: 'Hafnargata 5-7' },
      [{ ...HOME, street: 'Hafnargata 5-7', number: null, letter: '' }],
    ],
    [
      'null for the flat street',
      [HOME],
      { street_address: null },
      [{ ...HOME, street: '', number: null, letter: '' }],
    ],
    [
      'null for all flat parts: there is none',
      [HOME],
      { street_address: null, postal_code: null, city: '' },
      [],
    ],
    ['an empty object: nothing', [HOME], { local_address: {} }, [HOME]],
    [
      'one abroad of which nothing else is known',
      [],
      {
        foreign_addresses: [
          { country: 45 },
          { country: null, current: false, address: null, municipality: null },
        ],
      },
      [
        { ...ABROAD, street: '', postal_code: '', city: '', is_default: true },
        { ...ABROAD, street: '', postal_code: '', city: '', country: '' },
      ],
    ],
    [
      'one abroad in no country',
      [],
      { foreign_addresses: [{ country: '', address: 'Poste restante' }] },
      [{ ...ABROAD, street: 'Poste restante', postal_code: '', city: '', country: '', is_default: true }],
    ],
    [
      'a part of a home where there was none',
      [],
      { local_address: { city: 'Akureyri' } },
      [{ ...HOME, street: '', number: null, letter: '', postal_code: '', city: 'Akureyri' }],
    ],
    [
      'the street of a home where there was none',
      [],
      { local_address: { street: 'Laugavegur' } },
      [{ ...HOME, number: null, letter: '', postal_code: '', city: '' }],
    ],
    [
      'a home of spaces is none',
      [HOME],
      { local_address: { street: ' ', number: null, letter: ' ', postal_code: ' ', city: ' ' } },
      [],
    ],
    [
      'a home with a number alone is one',
      [],
      { local_address: { number: 5 } },
      [{ ...HOME, street: '', number: 5, letter: '', postal_code: '', city: '' }],
    ],
  ])('%s', (_title, stored, said, expected) => {
    expect(after(stored, said)).toEqual(expected);
  });

  it.each([
    [101, '101'],
    ['101', '101'],
    ['', ''],
    [null, ''],
    [0, ''],
    ['0700', '0700'],
  ])('postal code %j is the text %j', (sent, text) => {
    const member = applyPatch(null, parseRegistryMember(withAt(NESTED, 'local_address.postal_code', sent)));
    expect(member.profile.addresses[0]?.postal_code).toBe(text);
    const flat = applyPatch(null, parseRegistryMember({ ...FLAT, postal_code: sent }));
    expect(flat.profile.addresses[0]?.postal_code).toBe(text);
  });

  it('keeps a house number that is no number with its street', () => {
    const local_address = { street: 'Hafnargata', number: '5-7', letter: '' };
    expect(after([], { local_address })).toMatchObject([{ street: 'Hafnargata 5-7', number: null }]);
    expect(() => after([HOME], { local_address: { number: '5-7' } })).toThrow(/local_address\.number/);
  });

  it('makes the current foreign address the default when there is no home', () => {
    const foreign_addresses = [
      { ...FOREIGN_ADDRESS, pk: 1, current: false },
      { ...FOREIGN_ADDRESS, pk: 2, current: true, country: 46 },
      { ...FOREIGN_ADDRESS, pk: 3, current: true },
    ];
    expect(after([], { foreign_addresses }).map((address) => address.is_default)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('makes the first foreign address the default when none is current', () => {
    const foreign_addresses = [
      { pk: 1, current: false },
      { pk: 2, current: null },
    ];
    expect(after([], { foreign_addresses }).map((address) => address.is_default)).toEqual([true, false]);
  });

  it('takes a foreign address without the mark for a current one', () => {
    const foreign_addresses = [{ pk: 1, current: false }, { pk: 2 }, { pk: 3, current: true }];
    expect(after([], { foreign_addresses }).map((address) => address.is_default)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('is a list with exactly one default, or an empty one, whatever it said and the mirror held', () => {
    fc.assert(
      fc.property(
        anyWireMember,
        anyWireMember,
        fc.constantFrom('local_address', 'foreign_addresses', 'x'),
        (a, b, key) => {
          const first = applyPatch(null, parseRegistryMember(a));
          const second = applyPatch(first, parseRegistryMember(withAt({ ...b, ssn: a.ssn }, key, undefined)));
          for (const { profile } of [first, second]) {
            const defaults = profile.addresses.filter((address) => address.is_default);
            expect(defaults).toHaveLength(Math.min(1, profile.addresses.length));
          }
        },
      ),
    );
  });
});

describe('addresses as members and older documents wrote them', () => {
  it.each<[string, unknown, readonly Address[]]>([
    [
      'missing parts',
      [{ city: 'Akureyri' }],
      [
        {
          ...HOME,
          street: '',
          number: null,
          letter: '',
          postal_code: '',
          city: 'Akureyri',
          is_default: false,
        },
      ],
    ],
    ['null parts', [{ ...HOME, number: null, letter: null }], [{ ...HOME, number: null, letter: '' }]],
    ['a number as text', [{ ...HOME, number: '12' }], [{ ...HOME, number: 12 }]],
    ['an empty number', [{ ...HOME, number: '' }], [{ ...HOME, number: null }]],
    ['a postal code as number', [{ ...HOME, postal_code: 101 }], [HOME]],
    ['a street as number', [{ ...HOME, street: 7, note: 'x' }], [{ ...HOME, street: '7' }]],
    ['no country said', [{ ...HOME, country: undefined }], [HOME]],
    ['an empty country, which is not Iceland', [{ ...ABROAD, country: '' }], [{ ...ABROAD, country: '' }]],
    ['no list', 'x', []],
    ['nothing', undefined, []],
  ])('reads %s', (_title, written, expected) => {
    expect(holding(written).profile.addresses).toEqual(expected);
  });
});
