import { expect, it } from 'vitest';
import { holdsNumber, type Kennitala } from '../../src/domain/kennitala.ts';
import { linesOf, makeKennitalas } from '../support/kennitalas.ts';

const [wanted, other] = makeKennitalas(2) as [Kennitala, Kennitala];
const [date, rest] = [wanted.slice(0, 6), wanted.slice(6)];

it.each([
  ['our own form', linesOf([other, wanted]), true],
  ['a hyphen', `${date}-${rest}\n`, true],
  ['a dash', `${date}–${rest}`, true],
  ['a space', `  ${date} ${rest}  \r\n`, true],
  ['a line that is no kennitala', `${wanted};a name\n`, true],
  ['the middle of a text', `removed: ${wanted}, see above`, true],
  ['nobody', '', false],
  ['somebody else', linesOf([other]), false],
  ['a longer number that begins with it', `${wanted}1\n`, false],
  ['a longer number that ends with it', `1${wanted}\n`, false],
  ['two lines that make it up together', `${date}\n${rest}\n`, false],
  ['two lines of somebody else that meet', `9${date}\n${rest}\n`, false],
])('a file with %s is looked through', (_what, text, isThere) => {
  expect(holdsNumber(Buffer.from(text), wanted)).toBe(isThere);
});

it('looks at its own bytes when they are a part of a larger buffer', () => {
  const whole = Buffer.from(linesOf([wanted, other]));
  expect(holdsNumber(whole.subarray(11), wanted)).toBe(false);
  expect(holdsNumber(whole.subarray(0, 11), wanted)).toBe(true);
});
