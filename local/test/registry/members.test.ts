import { parseKennitala } from 'is-kennitala';
import { describe, expect, test } from 'vitest';
import { makeDirectory } from '../../src/registry/directory.ts';

const generation = { seed: 7, members: 20_000, placeholders: 0, hyphenated: 0.01 };
const numbersOf = (options: Partial<typeof generation> = {}): string[] => {
  const directory = makeDirectory({ ...generation, ...options });
  return Array.from(directory.live(), (index) => directory.ssn(index));
};
const digits = (ssn: string): string => ssn.replace('-', '');
const hasCheckDigit = (number: string): boolean => {
  const sum = [3, 2, 7, 6, 5, 4, 3, 2, 1].reduce(
    (total, weight, at) => total + weight * Number(number[at]),
    0,
  );
  return sum % 11 === 0;
};

describe('generated members', () => {
  test('the same seed makes the same members, another seed makes others', () => {
    const one = makeDirectory(generation);
    const same = makeDirectory(generation);
    expect(numbersOf()).toEqual(numbersOf());
    expect([0, 17, 19_999].map(one.member)).toEqual([0, 17, 19_999].map(same.member));
    const others = new Set(numbersOf({ seed: 8 }).map(digits));
    expect(numbersOf().filter((ssn) => others.has(digits(ssn))).length).toBeLessThan(2_000);
  });

  test('a smaller registry holds the first members of a larger one', () => {
    expect(numbersOf({ members: 100 })).toEqual(numbersOf().slice(0, 100));
  });

  test('100,000 members have 100,000 readable and distinct numbers', () => {
    const numbers = numbersOf({ members: 100_000 });
    expect(new Set(numbers.map(digits)).size).toBe(100_000);
    expect(numbers.filter((ssn) => parseKennitala(ssn, { robot: true }) === undefined)).toEqual([]);
  });

  test('the mix holds numbers with and without a check digit, system numbers and hyphens, and no placeholder', () => {
    const numbers = numbersOf();
    const people = numbers.map(digits).filter((number) => number < '8');
    const checked = people.filter(hasCheckDigit).length / people.length;
    expect(checked).toBeGreaterThan(0.6);
    expect(checked).toBeLessThan(0.85);
    expect(people.length).toBeLessThan(numbers.length);
    expect(numbers.filter((ssn) => ssn.includes('-')).length).toBeGreaterThan(100);
    expect(numbers.some((ssn) => ssn.startsWith('9999'))).toBe(false);
  });

  test('no number can be a living person’s: real ones are numbered from 20 up within their day', () => {
    const people = numbersOf()
      .map(digits)
      .filter((number) => number < '8');
    expect(people.filter((number) => Number(number.slice(6, 8)) >= 20)).toEqual([]);
    expect(people.filter((number) => number.startsWith('010130'))).toEqual([]);
  });

  test('placeholders come besides the members', () => {
    const numbers = numbersOf({ members: 100, placeholders: 3 }).map(digits);
    expect(numbers.filter((number) => number.startsWith('9999'))).toHaveLength(3);
    expect(numbers).toHaveLength(103);
  });

  test('a member is found by either spelling, and an unknown or unreadable number is not', () => {
    const directory = makeDirectory(generation);
    const number = digits(directory.ssn(1234));
    expect(directory.find(number)).toBe(1234);
    expect(directory.find(`${number.slice(0, 6)}-${number.slice(6)}`)).toBe(1234);
    expect(directory.find('0101300999')).toBeNull();
    expect(directory.find('123')).toBeNull();
  });

  test('a birthday agrees with the number, enums are known ones, and every email and phone is a made-up one', () => {
    const directory = makeDirectory({ ...generation, members: 2_000 });
    for (const index of directory.live()) {
      const member = directory.member(index);
      const number = digits(member.ssn);
      if (number < '8') {
        const [year = '', month, day] = member.birthday?.split('-') ?? [];
        expect(`${day}${month}${year.slice(2)}`).toBe(number.slice(0, 6));
      }
      expect([0, 1, 2, 3]).toContain(member.gender);
      expect([0, 1, 2, 3, 4, 5, 6]).toContain(member.housing_situation);
      expect(member.contact_info.email).toMatch(/^$|@postur\.example$/);
      expect(member.contact_info.phone?.replace(/\D/g, '')).toMatch(/^$|^(354)?555\d{4}$/);
    }
  });
});
