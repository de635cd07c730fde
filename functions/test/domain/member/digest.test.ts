import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import {
  addSums,
  BUCKETS,
  bucketOf,
  DIGEST_SCHEME,
  isSameDigest,
  isSameSums,
  keyNumbersOf,
  keySumsOf,
  NO_MEMBERS,
  subtractSums,
  sumOf,
  tryDigest,
} from '../../../src/domain/member/digest.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';

const FILE = new URL('../../../../contract/vectors/digests.json', import.meta.url);
const vectors = JSON.parse(readFileSync(FILE, 'utf8'));
type Row = {
  kennitala: string;
  digest: string;
  bucket: number;
  a: number;
  b: number;
  ka: number;
  kb: number;
};
const rows: Row[] = vectors.members;

describe('the vectors that the companion app is tested with', () => {
  it('are of the scheme that is read here', () => expect(vectors.scheme).toBe(DIGEST_SCHEME));

  it.each(rows)('$digest adds these numbers', ({ kennitala, digest, bucket, a, b, ka, kb }) => {
    const member = kennitala as Kennitala;
    expect(tryDigest(digest)).toEqual({ a, b });
    expect(keyNumbersOf(member)).toEqual({ bucket, a: ka, b: kb });
    expect(bucketOf(member)).toBe(bucket);
    expect(parseRegistryMember({ ssn: kennitala, digest }).digest).toEqual({ a, b });
  });

  it('add up to the sums', () => {
    const { count, a, b, ka, kb } = vectors.sums;
    const sums = sumOf(
      rows.map(({ digest }) => ({ count: 1, ...(tryDigest(digest) ?? { a: NaN, b: NaN }) })),
    );
    expect(sums).toEqual({ count, a, b });
    const keys = keySumsOf(rows.map(({ kennitala }) => kennitala as Kennitala));
    expect(keys).toHaveLength(BUCKETS);
    expect(sumOf(keys)).toEqual({ count, a: ka, b: kb });
  });
});

it('the sums of kennitalas are told by bucket, and whose bucket is whose', () => {
  const members = rows.map(({ kennitala }) => kennitala as Kennitala);
  const twice = [...members, ...members];
  const buckets = new Uint8Array(twice.length);
  const sums = keySumsOf(twice, buckets);
  expect([...buckets]).toEqual(twice.map(bucketOf));
  for (const [bucket, sum] of sums.entries()) {
    const own = twice.map(keyNumbersOf).filter((one) => one.bucket === bucket);
    expect(sum).toEqual(sumOf(own.map(({ a, b }) => ({ count: 1, a, b }))));
  }
});

describe('two digests', () => {
  const one = { a: 1, b: 2 };
  it.each([
    ['of equal numbers are the same', one, { ...one }, true],
    ['are none both', undefined, undefined, true],
    ['of which one is none differ', one, undefined, false],
    ['of which the other is none differ', undefined, one, false],
    ['with another first number differ', one, { ...one, a: 3 }, false],
    ['with another second number differ', one, { ...one, b: 3 }, false],
  ])('%s', (_what, left, right, isSame) => {
    expect(isSameDigest(left, right)).toBe(isSame);
  });
});

describe('a digest', () => {
  it.each([
    ['in capitals', 'A'.repeat(64)],
    ['too short', 'a'.repeat(63)],
    ['too long', 'a'.repeat(65)],
    ['with a line end', `${'a'.repeat(64)}\n`],
    ['of other letters', 'g'.repeat(64)],
    ['a number', 12],
    ['a list', ['a'.repeat(64)]],
  ])('%s is none, and its member cannot be read', (_what, digest) => {
    expect(tryDigest(digest)).toBeNull();
    expect(() => parseRegistryMember({ ssn: '0101302989', digest })).toThrow('digest');
  });

  it('that is absent or null leaves a member without one', () => {
    for (const member of [{ ssn: '0101302989' }, { ssn: '0101302989', digest: null }]) {
      expect(parseRegistryMember(member)).not.toHaveProperty('digest');
    }
  });
});

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const member = fc.record({ a: word, b: word });
const sumsOf = (members: readonly { a: number; b: number }[]) =>
  sumOf(members.map(({ a, b }) => ({ count: 1, a, b })));

describe('two sets of members', () => {
  it('have equal sums in whatever order and parts they are added up', () =>
    fc.assert(
      fc.property(fc.array(member), fc.nat(), (members, at) => {
        const cut = members.length === 0 ? 0 : at % members.length;
        const parts = addSums(sumsOf(members.slice(cut)), sumsOf(members.slice(0, cut)));
        expect(isSameSums(parts, sumsOf(members))).toBe(true);
        expect(subtractSums(sumsOf(members), sumsOf(members.slice(0, cut)))).toEqual(
          sumsOf(members.slice(cut)),
        );
      }),
    ));

  it('of which one lost, gained, doubled or changed a member are told apart', () =>
    fc.assert(
      fc.property(fc.array(member, { minLength: 1 }), member, fc.nat(), (members, other, at) => {
        const n = at % members.length;
        const edits = [
          members.filter((_, index) => index !== n),
          [...members, other],
          [...members, ...members.slice(n, n + 1)],
          members.map((each, index) => (index === n ? { ...each, a: (each.a + 1) % 2 ** 32 } : each)),
          members.map((each, index) => (index === n ? { ...each, b: (each.b + 1) % 2 ** 32 } : each)),
        ];
        for (const edited of edits) expect(isSameSums(sumsOf(edited), sumsOf(members))).toBe(false);
      }),
    ));

  it('of two million are added up exactly', () => {
    const largest = { count: 2 ** 21, a: 2 ** 21 * 0xffff_ffff, b: 0 };
    expect(Number.isSafeInteger(largest.a)).toBe(true);
    expect(isSameSums(largest, { ...largest, a: largest.a - 1 })).toBe(false);
    expect(addSums(NO_MEMBERS, largest)).toEqual(largest);
    expect(isSameSums(NO_MEMBERS, { ...NO_MEMBERS, count: 1 })).toBe(false);
  });
});
