import { describe, expect, it } from 'vitest';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import { fromRegistryFields, parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import {
  isStorable,
  isStorableText,
  isStorableTime,
  MAX_LIST_LENGTH,
  MAX_TEXT_LENGTH,
} from '../../src/domain/storable.ts';
import { isSyncError } from '../../src/lib/errors.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { NESTED, withAt } from './member/support/wire-members.ts';

const REFUSED: readonly (readonly [string, string])[] = [
  ...[...Array(0x20).keys(), 0x7f, ...Array.from({ length: 0x20 }, (_, n) => 0x80 + n)]
    .filter((code) => ![0x09, 0x0a, 0x0d].includes(code))
    .map(
      (code) => [`the control U+${code.toString(16).padStart(4, '0')}`, String.fromCodePoint(code)] as const,
    ),
  ['half a character', '\ud83d'],
  ['the other half', '\ude42'],
  ['the halves in the wrong order', '\ude42\ud83d'],
  ['an Arabic letter mark', '\u061c'],
  ['a mark from left to right', '\u200e'],
  ['a mark from right to left', '\u200f'],
  ['an embedding', '\u202a'],
  ['an override', '\u202e'],
  ['an isolate', '\u2066'],
  ['the end of an isolate', '\u2069'],
  ['a space of no width', '\u200b'],
  ['a joiner between Latin letters', 'a\u200db'],
  ['a non-joiner after an accent', 'e\u0301\u200c'],
  ['a word joiner', '\u2060'],
  ['a byte order mark', '\ufeff'],
  ['a tag of a language', '\u{e0001}'],
  ['an anchor of annotation', '\ufff9'],
];

describe('a text', () => {
  it.each([
    ['of Icelandic letters', 'Þórdís Ægisdóttir-Öxndal'],
    ['with lines and tabs', 'Vesterbrogade 3\r\n\t2. hæð'],
    ['of emoji that are joined', '👩‍👩‍👧‍👦 ❤️‍🔥 👩🏽‍🚀 🇮🇸'],
    ['of a script that joins its letters', 'می‌خواهم'],
    ['from right to left', 'אברהם'],
    ['with combining marks', 'Jo\u0301n'],
    ['of nothing', ''],
    ['of the greatest length', 'Þ'.repeat(MAX_TEXT_LENGTH)],
  ])('%s is storable', (_what, text) => {
    expect(isStorableText(text)).toBe(true);
  });

  it.each([...REFUSED, ['too long', 'x'.repeat(MAX_TEXT_LENGTH + 1)] as const])(
    'with %s is not',
    (_what, text) => {
      expect(isStorableText(text)).toBe(false);
      expect(isStorable({ addresses: [{ street: `Gata ${text}` }] })).toBe(false);
      expect(isStorable({ [`a${text}`]: 1 })).toBe(false);
    },
  );
});

describe('a value', () => {
  it.each([
    ['the first instant', new Date('0001-01-01T00:00:00Z'), true],
    ['the last one', new Date('9999-12-31T23:59:59.999Z'), true],
    ['before the year 1', new Date('0001-01-01T00:00:00+00:01'), false],
    ['after the year 9999', new Date(Date.UTC(10_000, 0, 1)), false],
    ['no time at all', new Date(Number.NaN), false],
  ])('of %s', (_what, time, expected) => {
    expect(isStorableTime(time)).toBe(expected);
    expect(isStorable([time])).toBe(expected);
  });

  it.each([
    [null, true],
    [undefined, true],
    [true, true],
    [1.5, true],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
    [{ street: 'Gata', number: Number.NaN }, false],
    [{ street: 'Gata', when: [new Date(Number.NaN)] }, false],
    [Array(MAX_LIST_LENGTH).fill('x'), true],
    [Array(MAX_LIST_LENGTH + 1).fill('x'), false],
  ])('%j', (value, expected) => {
    expect(isStorable(value)).toBe(expected);
  });
});

const faultOf = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    if (isSyncError(error)) return `${error.code} ${error.details['path']}`;
    throw error;
  }
  return 'none';
};

describe('a member of the registry with a text that is not storable', () => {
  const BAD = 'Jón \ud83d';
  it.each([
    ['name', BAD, 'name'],
    ['contact_info.email', 'jon@postur.example\0', 'contact_info.email'],
    ['contact_info.phone', 'sími\u001b[2J', 'contact_info.phone'],
    ['contact_info.foreign_phone', `${'4'.repeat(20)}\u0085`, 'contact_info.foreign_phone'],
    ['contact_info.facebook', '\u202egro.koobecaf', 'contact_info.facebook'],
    ['local_address.street', BAD, 'local_address.street'],
    ['local_address.number', '1\u200b', 'local_address.number'],
    ['local_address.letter', '\u0007', 'local_address.letter'],
    ['local_address.postal_code', '1\u00001', 'local_address.postal_code'],
    ['local_address.city', BAD, 'local_address.city'],
    ['foreign_addresses', [{ address: BAD }], 'foreign_addresses[0].address'],
    ['foreign_addresses', [{ municipality: BAD }], 'foreign_addresses[0].municipality'],
    ['foreign_addresses', [{ postal_code: BAD }], 'foreign_addresses[0].postal_code'],
    ['foreign_addresses', Array(51).fill({ address: 'Gata' }), 'foreign_addresses'],
    ['unions', [{ name: BAD }], 'unions[0].name'],
    ['titles', [{ name: BAD }], 'titles[0].name'],
    ['titles', Array.from({ length: 51 }, (_, n) => ({ name: `${n}` })), 'titles'],
    ['birthday', '0000-01-01', 'birthday'],
    ['date_joined', '0000-12-31', 'date_joined'],
    ['date_joined', '0001-01-01T00:00:00+14:00', 'date_joined'],
    ['date_joined', '9999-12-31T23:59:59-01:00', 'date_joined'],
    ['version', 2 ** 31, 'version'],
    ['version', Number.MAX_SAFE_INTEGER, 'version'],
    ['name', 'J'.repeat(1_200_000), 'name'],
  ])('%s: the fault names the place', (key, value, path) => {
    expect(faultOf(() => parseRegistryMember(withAt(NESTED, key, value)))).toBe(`member_invalid ${path}`);
  });

  it.each([
    ['phone', '\u202a+354 555 1234\u202c', '5551234'],
    ['foreign_phone', '\u202a+45 55 12 34 56\u202c', '+4555123456'],
  ] as const)(
    '%s: marks that telephones copy along are left out where digits remain',
    (key, written, read) => {
      const { content } = parseRegistryMember(withAt(NESTED, `contact_info.${key}`, written));
      expect(content[`profile.${key}`]).toBe(read);
    },
  );
});

describe('an event of the registry', () => {
  const [kennitala] = makeKennitalas(1);
  const event = { kennitala, action: 'delete', version: 1, occurred_at: '2026-01-01T00:00:00Z' };

  it.each([
    ['version', 2 ** 31],
    ['version', 9_007_199_254_740_991],
    ['occurred_at', '0000-01-01T00:00:00Z'],
    ['occurred_at', '0001-01-01T00:00:00+01:00'],
    ['occurred_at', '9999-12-31T23:59:59-00:01'],
  ])('is refused for the %s %j, which no try could make storable', (key, value) => {
    expect(faultOf(() => parseMemberChange({ ...event, [key]: value }))).toBe(`invalid_request ${key}`);
    expect(faultOf(() => parseMemberChange({ ...event, version: 2 ** 31 - 1 }))).toBe('none');
  });
});

describe("the registry's own value of a field in conflict", () => {
  it('is a fault when it cannot be stored: a guess would decide the conflict', () => {
    expect(faultOf(() => fromRegistryFields({ 'profile.facebook': 'a\0b' }))).toBe(
      'member_invalid profile.facebook',
    );
  });
});
