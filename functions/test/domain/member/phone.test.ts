import { describe, expect, it } from 'vitest';
import { normalisePhone } from '../../../src/domain/member/field-table.ts';

const ROWS: readonly (readonly [title: string, written: string, becomes: string])[] = [
  ['seven digits', '5551234', '5551234'],
  ['a hyphen', '555-1234', '5551234'],
  ['an en dash', '555–1234', '5551234'],
  ['a space', '555 1234', '5551234'],
  ['a no-break space', '555\u00a01234', '5551234'],
  ['space around', ' 5551234\n', '5551234'],
  ['+354', '+3545551234', '5551234'],
  ['+354 with spaces and a hyphen', '+354 555-1234', '5551234'],
  ['(+354)', '(+354) 555 1234', '5551234'],
  ['00354', '003545551234', '5551234'],
  ['00354 with spaces', '00 354 555 12 34', '5551234'],
  ['354 without a sign', '3545551234', '5551234'],
  ['an Icelandic number that itself starts with 354', '3541234', '3541234'],
  ['a foreign number', '+4512345678', '+4512345678'],
  ['a foreign number with spaces', '+45 12 34 56 78', '+4512345678'],
  ['00 for the plus sign', '004512345678', '+4512345678'],
  ['+354 and a length that is not Icelandic', '+354123456789', '+354123456789'],
  ['fifteen digits', '+123456789012345', '+123456789012345'],
  ['sixteen digits', '+1234567890123456', '+1234567890123456'],
  ['six digits', '555 123', '555 123'],
  ['eight digits without a sign', '5551 2345', '5551 2345'],
  ['a country code of zero', '+0451234567', '+0451234567'],
  ['two numbers', '5551234 / 5554321', '5551234 / 5554321'],
  ['a word before it', 'sími +45 12 34 56 78', 'sími +45 12 34 56 78'],
  ['words', 'hringja eftir kl. 17', 'hringja eftir kl. 17'],
  ['letters in a number', '555123x', '555123x'],
  ['nothing', '', ''],
];

describe('a telephone number in the portal', () => {
  it.each(ROWS)('reads %s', (_title, written, becomes) => {
    expect(normalisePhone(written)).toBe(becomes);
  });

  it.each(ROWS)('stays as it is when %s has been read once', (_title, written) => {
    const once = normalisePhone(written);
    expect(normalisePhone(once)).toBe(once);
  });
});
