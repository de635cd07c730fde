import * as fc from 'fast-check';
import { parseKennitala } from 'is-kennitala';
import { describe, expect, it } from 'vitest';
import {
  hasImpossibleDate,
  isKennitala,
  isLegalEntity,
  isPlaceholder,
  isSystemNumber,
  type Kennitala,
  kennitalaFault,
  tryKennitala,
} from '../../src/domain/kennitala.ts';
import { makeMemberList } from '../../src/domain/kennitala-list.ts';
import { anyKennitala } from '../support/kennitalas.ts';

const as = (text: string) => text as Kennitala;

describe('reading a kennitala', () => {
  it.each([
    ['ten digits', '0101302989', '0101302989'],
    ['a hyphen after the sixth', '010130-2989', '0101302989'],
    ['a space after the sixth', '010130 2989', '0101302989'],
    ['space around', ' 010130-2989\n', '0101302989'],
    ['no valid check digit', '1502900309', '1502900309'],
    ['a date that only a loose test lets through', '3102691239', '3102691239'],
    ['a system number that starts with 8', '8123456793', '8123456793'],
    ['a system number that starts with 9', '9123456793', '9123456793'],
    ['a placeholder', '9999123456', '9999123456'],
    ['a legal entity', '5302697609', '5302697609'],
    ['nothing', '', null],
    ['nine digits, which are not padded', '101302989', null],
    ['eleven digits', '01013029890', null],
    ['the first digits of a system number', '81', null],
    ['a date and its last digit', '0101309', null],
    ['the first digits of a date and its last one', '010139', null],
    ['a date with letters', 'o101302989', null],
    ['a letter in the day', '0l01302989', null],
    ['a letter in the month', '010l302989', null],
    ['letters behind the date', '0101abcde9', null],
    ['letters behind an 8', '8abcdefghi', null],
    ['a hyphen in another place', '0101-302989', null],
    ['letters', 'not a number', null],
    ['a month that does not exist', '0113302989', null],
    ['digits of another script', '٠١٠١٣٠٢٩٨٩', null],
    ['text before it', 'kt. 010130-2989', null],
  ])('reads %s', (_what, text, expected) => {
    expect(tryKennitala(text)).toBe(expected);
  });

  it('reads every generated number, hyphenated or not, as the same ten digits', () => {
    fc.assert(
      fc.property(anyKennitala, (kennitala) => {
        expect(tryKennitala(kennitala)).toBe(kennitala);
        expect(tryKennitala(`${kennitala.slice(0, 6)}-${kennitala.slice(6)}`)).toBe(kennitala);
        expect(isKennitala(kennitala)).toBe(true);
      }),
    );
  });

  it('answers null or ten ASCII digits whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const read = tryKennitala(text);
        expect(read === null || /^[0-9]{10}$/.test(read)).toBe(true);
      }),
    );
  });

  it('judges exactly as the library does', () => {
    const digits = fc.stringMatching(/^[0-9]{10}$/);
    // Dates at their limits, where one digit decides.
    const nearDate = fc
      .tuple(
        fc.constantFrom(...'0123456789'),
        fc.nat({ max: 9 }),
        fc.nat({ max: 19 }),
        fc.stringMatching(/^[0-9]{6}$/),
      )
      .map(([tens, ones, month, rest]) => `${tens}${ones}${String(month).padStart(2, '0')}${rest}`);
    const spelled = fc
      .tuple(
        fc.oneof(digits, nearDate),
        fc.constantFrom('', '-', ' ', '–', ' - '),
        fc.constantFrom('', ' ', '\n', 'x'),
      )
      .map(([number, between, after]) => `${number.slice(0, 6)}${between}${number.slice(6)}${after}`);
    fc.assert(
      fc.property(fc.oneof(digits, nearDate, spelled, fc.string()), (text) => {
        expect(tryKennitala(text)).toBe(parseKennitala(text, { robot: true })?.value ?? null);
      }),
      { numRuns: 5_000 },
    );
  });

  it('judges every day, month and last digit as the library does', () => {
    for (let day = 0; day < 100; day += 1) {
      for (let month = 0; month < 100; month += 1) {
        for (let last = 0; last < 10; last += 1) {
          const date = `${String(day).padStart(2, '0')}${String(month).padStart(2, '0')}`;
          const text = `${date}30298${last}`;
          const judged = parseKennitala(text, { robot: true })?.value ?? null;
          if (tryKennitala(text) !== judged) expect.unreachable(`${date}…${last} is judged otherwise`);
        }
      }
    }
  });

  it('takes only the canonical form for canonical', () => {
    expect(isKennitala('010130-2989')).toBe(false);
    expect(isKennitala('0101302989\n')).toBe(false);
    expect(isKennitala(' 0101302989')).toBe(false);
    expect(isKennitala('0113302989')).toBe(false);
    expect(isKennitala('0101302989')).toBe(true);
  });
});

describe('kinds of numbers', () => {
  it.each([
    ['0101302989', { placeholder: false, system: false, entity: false }],
    ['3112990989', { placeholder: false, system: false, entity: false }],
    ['4000000000', { placeholder: false, system: false, entity: true }],
    ['4101302989', { placeholder: false, system: false, entity: true }],
    ['7112992989', { placeholder: false, system: false, entity: true }],
    ['8000000000', { placeholder: false, system: true, entity: false }],
    ['8123456793', { placeholder: false, system: true, entity: false }],
    ['9123456793', { placeholder: false, system: true, entity: false }],
    ['9999000001', { placeholder: true, system: true, entity: false }],
  ])('tells what %s is', (text, expected) => {
    expect({
      placeholder: isPlaceholder(as(text)),
      system: isSystemNumber(as(text)),
      entity: isLegalEntity(as(text)),
    }).toEqual(expected);
  });
});

describe('a date that does not exist', () => {
  it.each([
    ['0000000000', true],
    ['0001000009', true],
    ['0100000009', true],
    ['3104000009', true],
    ['3002000009', true],
    ['4000000009', true],
    ['7104000009', true],
    ['2902010009', false],
    ['3112990989', false],
    ['7112990989', false],
    ['8000000000', false],
  ])('%s: %s', (text, expected) => {
    expect(hasImpossibleDate(as(text))).toBe(expected);
  });

  it('is counted and drops nobody', () => {
    const { kennitalas, findings } = makeMemberList(['0000000000', '0001000009', '0101000009']);
    expect([...kennitalas]).toHaveLength(3);
    expect(findings).toMatchObject({ impossibleDates: 2, quarantined: 0 });
  });
});

it.each([
  ['', 'digits'],
  ['123456789', 'digits'],
  ['01013029 89', 'digits'],
  ['01013029855', 'digits'],
  ['1010130-2985', 'digits'],
  ['010130-29855', 'digits'],
  ['0001302985', 'date'],
  ['3201302989', 'date'],
  ['4001302985', 'date'],
  ['0100302985', 'date'],
  ['3213302989', 'date'],
  ['0113302989', 'date'],
  ['3101302985', 'century'],
  ['3112302985', 'century'],
  [' 010130-2985 ', 'century'],
  ['010130-2985', 'century'],
  ['0101302985', 'century'],
])('says of %j what is wrong with it: %s', (text, fault) => {
  expect(tryKennitala(text)).toBeNull();
  expect(kennitalaFault(text)).toBe(fault);
});
