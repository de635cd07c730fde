import type { Json } from '../evaluator/from-json.ts';
import { HIDDEN_CHARACTERS, VISIBLE_TEXT } from './hidden-characters.ts';
import { REMOVE, type RulesCase } from './rules-case.ts';
import { MEMBER, OWN_PATH, PROFILE, withProfile } from './stored-member.ts';

const WRONG_TYPES: readonly (readonly [string, Json])[] = [
  ['a number', 1],
  ['a float', 0.5],
  ['null', null],
  ['a list', ['x']],
  ['a map', { x: 1 }],
  ['a time', new Date(0)],
];
const NO_TEXT: readonly (readonly [string, Json])[] = [...WRONG_TYPES, ['true', true]];
const NO_BOOLEAN: readonly (readonly [string, Json])[] = [
  ...WRONG_TYPES,
  ['the text "true"', 'true'],
  ['""', ''],
];

const hidden = (before: string, after: string, where = 'it'): readonly (readonly [string, Json])[] =>
  HIDDEN_CHARACTERS.map(([name, character]) => [`${name} in ${where}`, `${before}${character}${after}`]);

/** The fields that members may change, with values that are good and values that are not. */
const FIELDS: Readonly<
  Record<string, { good: readonly (readonly [string, Json])[]; bad: readonly (readonly [string, Json])[] }>
> = {
  email: {
    good: [
      ['an address', 'a.b+c@mail.example.is'],
      ['an Icelandic domain', 'jón@þór.is'],
      ['nothing', ''],
      ['a last label of two letters', 'a@example.is'],
      ['a last label of 63 letters', `a@example.${'x'.repeat(63)}`],
      ['a hyphen and a plus sign within', 'a-b+c@ex-ample.is'],
      ['an apostrophe', "o'hara@example.is"],
      ['254 characters', `${'a'.repeat(243)}@example.is`],
    ],
    bad: [
      ...NO_TEXT,
      ['255 characters', `${'a'.repeat(244)}@example.is`],
      ['a last label of 64 letters', `a@example.${'x'.repeat(64)}`],
      ['no at sign', 'example.is'],
      ['two at signs', 'a@b@example.is'],
      ['no domain', 'a@'],
      ['no name', '@example.is'],
      ['no dot in the domain', 'a@example'],
      ['a space', 'a b@example.is'],
      ['a line feed', 'a@example.is\n'],
      ['a second recipient', 'a@example.is,b@example.is'],
      ['a display name', 'A <a@example.is>'],
      ['one letter after the last dot', 'a@example.i'],
      ...['=', '+', '-', '@'].map((sign): readonly [string, Json] => [
        `a leading ${sign}`,
        `${sign}a@example.is`,
      ]),
      ['a formula', '=cmd|x@example.is'],
      ['a quoted name', '"a"@example.is'],
      ['a comment', 'a(b)@example.is'],
      ['an address of numbers', 'a@[127.0.0.1]'],
      ['a backslash', 'a\\\\b@example.is'],
      ['a scheme', 'mailto:a@example.is'],
      ...hidden('a', 'b@example.is'),
      ...hidden('a@ex', 'ample.is', 'its domain'),
    ],
  },
  phone: {
    good: [
      ['seven digits', '5551234'],
      ['a foreign number', '+4512345678'],
      ['the shortest foreign number', '+4512345'],
      ['sixteen characters', `+${'1'.repeat(15)}`],
      ['nothing', ''],
    ],
    bad: [
      ...NO_TEXT,
      ['six digits', '555123'],
      ['eight digits', '55512345'],
      ['a foreign number of six digits', '+451234'],
      ['seventeen characters', `+${'1'.repeat(16)}`],
      ['a hyphen', '555-1234'],
      ['letters', 'síminn7'],
      ['a plus sign alone', '+'],
      ['a country code of zero', '+0451234567'],
      ['digits of another script', '٥٥٥١٢٣٤'],
    ],
  },
  foreign_phone: {
    good: [
      ['an international number', '+4512345678'],
      ['digits alone', '004512345678'],
      ['five digits', '12345'],
      ['fifteen digits', '1'.repeat(15)],
      ['nothing', ''],
    ],
    bad: [...NO_TEXT, ['sixteen digits', '1'.repeat(16)], ['four digits', '1234'], ['letters', '+45abcdefg']],
  },
  facebook: {
    good: [
      ['a name', 'Jón Jónsson'],
      ['255 characters', 'þ'.repeat(255)],
      ['every kind of visible character', VISIBLE_TEXT],
      ['nothing', ''],
    ],
    bad: [...NO_TEXT, ['256 characters', 'x'.repeat(256)], ...hidden('a', 'b')],
  },
  reachable: {
    good: [
      ['true', true],
      ['false', false],
    ],
    bad: NO_BOOLEAN,
  },
  groupable: {
    good: [
      ['true', true],
      ['false', false],
    ],
    bad: NO_BOOLEAN,
  },
};

/** Each value by a dot path and by a write of the whole document: the rules see the same result. */
function bothWays(
  field: string,
  value: Json,
  title: string,
  expect: RulesCase['expect'],
): readonly RulesCase[] {
  const row = {
    service: 'firestore',
    who: 'the member',
    path: OWN_PATH,
    operation: 'update',
    before: MEMBER,
  } as const;
  const changes = [
    [`${title}, by a dot path`, { update: { [`profile.${field}`]: value } }],
    [`${title}, by a whole map`, { update: { profile: { ...PROFILE, [field]: value } } }],
    [`${title}, by a whole document`, { set: withProfile({ [field]: value }) }],
  ] as const;
  return changes.map(([written, change]) => ({ ...row, title: written, change, expect }));
}

export const MEMBER_FIELD_CASES: readonly RulesCase[] = Object.entries(FIELDS).flatMap(
  ([field, { good, bad }]) => [
    ...good.flatMap(([name, value]) => bothWays(field, value, `${field} may become ${name}`, 'allow')),
    ...bad.flatMap(([name, value]) => {
      const ways = bothWays(field, value, `${field} may not become ${name}`, 'deny');
      // One way is enough for a character in the middle of a text.
      return name.startsWith('U+') ? ways.slice(0, 1) : ways;
    }),
    {
      title: `${field} may not be removed`,
      service: 'firestore',
      who: 'the member',
      path: OWN_PATH,
      operation: 'update',
      before: MEMBER,
      change: { update: { [`profile.${field}`]: REMOVE } },
      expect: 'deny',
    },
  ],
);
