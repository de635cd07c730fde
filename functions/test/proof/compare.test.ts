import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { BUCKETS, bucketOf, type SetSums, sumOf } from '../../src/domain/member/digest.ts';
import {
  addsUp,
  differencesIn,
  differingBuckets,
  findDifferingBuckets,
  readPart,
} from '../../src/proof/compare.ts';

/** Generated system numbers, which belong to no person. */
const kennitala = fc
  .integer({ min: 0, max: 99_999_999 })
  .map((n) => `80${String(n).padStart(8, '0')}` as Kennitala);
const word = fc.integer({ min: 0, max: 0xffff_ffff });
const digest = fc.record({ a: word, b: word });
const members = fc.dictionary(kennitala, digest).map((all) => new Map(Object.entries(all)) as Members);
type Members = Map<Kennitala, { a: number; b: number }>;

const sumsOf = (all: Members): SetSums[] =>
  Array.from({ length: BUCKETS }, (_, bucket) =>
    sumOf(
      [...all].filter(([who]) => bucketOf(who) === bucket).map(([, numbers]) => ({ count: 1, ...numbers })),
    ),
  );

/** Loses, adds and changes members. */
const edits = fc.array(fc.record({ at: fc.nat(), to: fc.option(digest), add: fc.option(kennitala) }), {
  maxLength: 6,
});
const edited = (
  before: Members,
  all: readonly { at: number; to: object | null; add: Kennitala | null }[],
): Members => {
  const after = new Map(before);
  for (const { at, to, add } of all) {
    const who = add ?? [...before.keys()][at % Math.max(1, before.size)];
    if (who === undefined) continue;
    if (to === null) after.delete(who);
    else after.set(who, to as { a: number; b: number });
  }
  return after;
};
const isOther = (one: Members, other: Members, who: Kennitala): boolean =>
  JSON.stringify(one.get(who)) !== JSON.stringify(other.get(who));

describe('two sets of members', () => {
  it('however they differ: the differing buckets are found by halving, and in them those who differ', () =>
    fc.assert(
      fc.asyncProperty(members, edits, async (wanted, changes) => {
        const held = edited(wanted, changes);
        const everybody = [...new Set([...wanted.keys(), ...held.keys()])];
        const differing = everybody.filter((who) => isOther(wanted, held, who));
        const buckets = [...new Set(differing.map(bucketOf))].sort((one, other) => one - other);
        const [ours, theirs] = [sumsOf(wanted), sumsOf(held)];
        let asked = 0;
        const found = await findDifferingBuckets(ours, sumOf(theirs), async (from, until) => {
          asked += 1;
          return sumOf(theirs.slice(from, until));
        });
        expect(found).toEqual(buckets);
        expect(differingBuckets(ours, theirs)).toEqual(buckets);
        expect(asked).toBeLessThanOrEqual(Math.min(255, 8 * buckets.length));
        const part = { readable: wanted, unreadable: new Set<Kennitala>() };
        expect(differencesIn(part, held, 'content').sort()).toEqual(differing.sort());
        const byNumber = differing.filter((who) => wanted.has(who) !== held.has(who));
        expect(differencesIn(part, held, 'kennitala').sort()).toEqual(byNumber.sort());
      }),
      { numRuns: 60 },
    ));

  it('differ by nobody who cannot be read', () => {
    const who = '8000000011' as Kennitala;
    const part = { readable: new Map(), unreadable: new Set([who]) };
    expect(differencesIn(part, new Map([[who, undefined]]), 'content')).toEqual([]);
  });
});

const wire = (ssn: string, more: object = {}) => ({
  id: 1,
  ssn,
  name: 'A',
  digest: `${'0'.repeat(63)}1`,
  ...more,
});

describe('members of a bucket as the registry sent them', () => {
  const ssn = '8000000011';
  const bucket = bucketOf(ssn as Kennitala);
  const read = (...all: unknown[]) => readPart(new Map([[bucket, all]]));

  it('are no part of a set without a digest, in another bucket than their own, or as nobody at all', () => {
    for (const member of [
      wire(ssn, { digest: undefined }),
      wire(ssn, { digest: 'x' }),
      wire('8000000012'),
      null,
      7,
      {},
    ]) {
      expect(read(member)).toBeNull();
    }
  });

  it('count for the sums as they were sent, with and without hyphen, readable or not', () => {
    const part = read(wire('800000-0011'));
    expect([...(part?.readable.keys() ?? [])]).toEqual([ssn]);
    const broken = read(wire(ssn, { gender: 'none' }));
    expect(broken).toMatchObject({ unreadableCount: 1, readable: new Map(), unreadable: new Set([ssn]) });
    expect(broken?.sums).toEqual(part?.sums);
    const said = Array.from(
      { length: BUCKETS },
      (_, n) => part?.sums.get(n) ?? { members: NONE, keys: NONE },
    );
    expect(part && addsUp(part, said)).toBe(true);
    expect(part && addsUp(part, [])).toBe(false);
  });
});

const NONE: SetSums = { count: 0, a: 0, b: 0 };
