import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffSorted } from '../../src/roster/plan-roster.ts';
import { anyKennitala } from '../support/kennitalas.ts';

const sortedSet = fc.uniqueArray(anyKennitala, { maxLength: 50 }).map((items) => [...items].sort());

describe('the difference of two sorted lists', () => {
  it.each([
    ['nothing and nothing', [], [], [], [], 0],
    ['a first list', ['a', 'b'], [], ['a', 'b'], [], 0],
    ['a list that became empty', [], ['a', 'b'], [], ['a', 'b'], 0],
    ['equal lists', ['a', 'b'], ['a', 'b'], [], [], 2],
    [
      'changes at both ends and in the middle',
      ['b', 'c', 'e', 'f'],
      ['a', 'c', 'd', 'e'],
      ['b', 'f'],
      ['a', 'd'],
      2,
    ],
  ])('finds %s', (_what, wanted, held, added, removed, unchanged) => {
    expect(diffSorted(wanted, held)).toEqual({ added, removed, unchanged });
  });

  it('agrees with the difference of sets, and turns what is held into what is wanted', () => {
    fc.assert(
      fc.property(sortedSet, sortedSet, (wanted, held) => {
        const { added, removed, unchanged } = diffSorted(wanted, held.values());
        expect(added).toEqual(wanted.filter((item) => !held.includes(item)));
        expect(removed).toEqual(held.filter((item) => !wanted.includes(item)));
        expect(unchanged).toBe(wanted.length - added.length);
        expect([...held.filter((item) => !removed.includes(item)), ...added].sort()).toEqual(wanted);
      }),
    );
  });
});
