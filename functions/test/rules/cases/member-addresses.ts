import type { Fields } from '../evaluator/decide.ts';
import type { Json } from '../evaluator/from-json.ts';
import { HIDDEN_CHARACTERS, VISIBLE_TEXT } from './hidden-characters.ts';
import type { RulesCase } from './rules-case.ts';
import { HOME, MEMBER, OWN_PATH, PROFILE, withProfile } from './stored-member.ts';

const ABROAD: Fields = {
  street: 'Vesterbrogade',
  number: null,
  letter: null,
  postal_code: '1620 V',
  city: 'København',
  country: 'DK',
  is_default: false,
};

/** Different streets, so that none of them is one that the member already had. */
const places = (count: number, fields: Fields = {}): readonly Fields[] =>
  Array.from({ length: count }, (_, n) => ({ ...ABROAD, street: `Vesterbrogade ${n}`, ...fields }));

/** Each address with all its keys, filled as far as it goes: what costs the rules most. */
export const FULLEST: readonly Fields[] = places(10, {
  number: '12345',
  letter: 'x'.repeat(10),
  postal_code: '1'.repeat(12),
}).map((place, n) => ({ ...place, is_default: n === 9 }));

const GOOD: readonly (readonly [string, Json])[] = [
  ['no address', []],
  ['an address abroad beside the stored one', [HOME, ABROAD]],
  ['an address abroad instead of the stored one', [{ ...ABROAD, is_default: true }]],
  ['a list without a default', [ABROAD]],
  ['ten addresses', places(10)],
  ['ten addresses with all keys', FULLEST],
  ['ten addresses with one default', [...places(9), { ...ABROAD, is_default: true }]],
  ['an address of its city alone', [{ city: 'Akureyri' }]],
  ['a number written as text', [{ ...ABROAD, number: '12' }]],
  ['a number of five digits', [{ ...ABROAD, number: 99_999 }]],
  ['a street of 255 characters', [{ ...ABROAD, street: 'x'.repeat(255) }]],
  ['a city of 100 characters', [{ ...ABROAD, city: 'x'.repeat(100) }]],
  ...['street', 'city', 'letter'].map((key): readonly [string, Json] => [
    `a ${key} of every kind of visible character`,
    [{ ...ABROAD, [key]: VISIBLE_TEXT.slice(0, 10) }],
  ]),
  ['a letter of ten characters', [{ ...ABROAD, letter: 'x'.repeat(10) }]],
  ['a postal code of twelve characters', [{ ...ABROAD, postal_code: '1'.repeat(12) }]],
  [
    'empty texts',
    [{ ...ABROAD, street: '', letter: '', number: '', postal_code: '', city: '', country: '' }],
  ],
];

const TEXT_KEYS = ['street', 'city', 'postal_code', 'country'];
const NO_TEXT: readonly (readonly [string, Json])[] = [
  ['a number', 1],
  ['true', true],
  ['null', null],
  ['a list', ['x']],
  ['a map', { x: 1 }],
];

const BAD_PLACES: readonly (readonly [string, Json])[] = [
  ['an address with an unknown key', { ...ABROAD, note: 'x' }],
  ['an address with a kennitala', { ...ABROAD, kennitala: '0101302989' }],
  ['an empty address', {}],
  ['a text for an address', 'Laugavegur 1'],
  ['null for an address', null],
  ['true for an address', true],
  ...TEXT_KEYS.flatMap((key) =>
    NO_TEXT.map(([name, value]): readonly [string, Json] => [
      `${name} as ${key}`,
      { ...ABROAD, [key]: value },
    ]),
  ),
  ...NO_TEXT.filter(([, value]) => value !== null).map(([name, value]): readonly [string, Json] => [
    `${name} as letter`,
    { ...ABROAD, letter: value },
  ]),
  ['a street of 256 characters', { ...ABROAD, street: 'x'.repeat(256) }],
  ['a street of two lines', { ...ABROAD, street: 'a\nb' }],
  ['a street that brings the next field', { ...ABROAD, street: 'a\nb\n101\nIS', city: '' }],
  ['a city of 101 characters', { ...ABROAD, city: 'x'.repeat(101) }],
  ['a postal code of 13 characters', { ...ABROAD, postal_code: '1'.repeat(13) }],
  ['a postal code with a sign', { ...ABROAD, postal_code: '101;' }],
  ['a country of three letters', { ...ABROAD, country: 'ISL' }],
  ['a country in small letters', { ...ABROAD, country: 'is' }],
  ['a letter of eleven characters', { ...ABROAD, letter: 'x'.repeat(11) }],
  ['a number of six digits', { ...ABROAD, number: 100_000 }],
  ['a negative number', { ...ABROAD, number: -1 }],
  ['a float as number', { ...ABROAD, number: 1.5 }],
  ['letters as number', { ...ABROAD, number: '1a' }],
  ['true as number', { ...ABROAD, number: true }],
  ['a list as number', { ...ABROAD, number: [1] }],
  ['a text as is_default', { ...ABROAD, is_default: 'true' }],
  ['null as is_default', { ...ABROAD, is_default: null }],
  ['a number as is_default', { ...ABROAD, is_default: 1 }],
];

const HIDDEN_PLACES = ['street', 'city', 'letter'].flatMap((key) =>
  HIDDEN_CHARACTERS.map(([name, character]): readonly [string, Json] => [
    `a ${key} with ${name}`,
    { ...ABROAD, [key]: `a${character}b` },
  ]),
);

const BAD_LISTS: readonly (readonly [string, Json])[] = [
  ['null', null],
  ['a text', 'Laugavegur 1'],
  ['a map', { 0: HOME }],
  ['true', true],
  ['eleven addresses', places(11)],
  ['two defaults', [HOME, { ...ABROAD, is_default: true }]],
  ['the stored default twice', [HOME, HOME]],
  ['ten defaults', places(10, { is_default: true })],
];

const ODD: Fields = { street: 7, note: 'from the registry' };
const odd = (count: number): readonly Fields[] =>
  Array.from({ length: count }, (_, street) => ({ ...ODD, street }));

function addresses(
  title: string,
  value: Json,
  expect: RulesCase['expect'],
  stored: Json = PROFILE.addresses,
): readonly RulesCase[] {
  const before = withProfile({ addresses: stored });
  const row = {
    service: 'firestore',
    who: 'the member',
    path: OWN_PATH,
    operation: 'update',
    before,
    expect,
  } as const;
  return [
    { ...row, title: `${title}, by a dot path`, change: { update: { 'profile.addresses': value } } },
    {
      ...row,
      title: `${title}, by a whole document`,
      change: { set: { ...MEMBER, profile: { ...PROFILE, addresses: value } } },
    },
  ];
}

/** The list of addresses: its length, each place in it, each key of an address, and what the member may keep. */
export const MEMBER_ADDRESS_CASES: readonly RulesCase[] = [
  ...GOOD.flatMap(([name, value]) => addresses(`addresses may become ${name}`, value, 'allow')),
  ...BAD_LISTS.flatMap(([name, value]) => addresses(`addresses may not become ${name}`, value, 'deny')),
  ...BAD_PLACES.flatMap(([name, place]) => [
    ...addresses(`addresses may not hold ${name}`, [HOME, place], 'deny'),
    ...addresses(`addresses may not be ${name} alone`, [place], 'deny'),
  ]),
  ...HIDDEN_PLACES.flatMap(([name, place]) =>
    addresses(`addresses may not hold ${name}`, [HOME, place], 'deny').slice(0, 1),
  ), // Each place of the list is checked by a line of its own.
  ...Array.from({ length: 10 }, (_, at) => [
    ...addresses(
      `place ${at} may not hold an unknown key`,
      places(10).map((place, n) => (n === at ? { ...place, note: 'x' } : place)),
      'deny',
    ),
    ...addresses(
      `place ${at} counts as a default`,
      places(10).map((place, n) =>
        n === at || n === (at + 1) % 10 ? { ...place, is_default: true } : place,
      ),
      'deny',
    ),
  ]).flat(),
  ...addresses('a stored address may stay as it is, beside a new one', [ODD, ABROAD], 'allow', [ODD]),
  ...addresses('stored addresses may change places', [HOME, ODD], 'allow', [ODD, HOME]),
  ...addresses('a stored address may go', [HOME], 'allow', [ODD, HOME]),
  ...addresses('ten stored odd addresses may change places', odd(10).toReversed(), 'allow', odd(10)),
  ...addresses('a stored odd address may not be changed in part', [{ ...ODD, street: 8 }], 'deny', [ODD]),
  ...addresses('an empty address may not join a stored one', [ODD, {}], 'deny', [ODD]),
  ...addresses('stored addresses that are no list may not be replaced', [], 'deny', 'none'),
];
