import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import {
  kennitalaOf,
  makeKennitalaSet,
  makeSetDigest,
  makeStateColumn,
} from '../../../src/portal/reconcile/compact.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

describe('a column of states', () => {
  const any = fc.oneof(
    fc.constant(null),
    fc.string({ maxLength: 30 }),
    fc
      .tuple(fc.nat({ max: 4_102_444_800 }), fc.nat({ max: 999_999 }))
      .map(([seconds, micros]) => `${seconds}.${micros * 1_000}`),
    // As a time, but none that Firestore gives.
    fc.tuple(fc.integer(), fc.nat({ max: 999_999_999 })).map((parts) => parts.join('.')),
    fc.constantFrom(
      '0.0',
      '-1.0',
      '0.-1000',
      'NaN.NaN',
      'Infinity.0',
      '1',
      '.',
      '1.1000.0',
      '01.1000',
      '1e3.0',
    ),
  );

  it('gives back what was set last at each row, and null elsewhere', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 40 }), any), { maxLength: 60 }), (sets) => {
        const column = makeStateColumn();
        const expected = new Map<number, string | null>();
        for (const [row, state] of sets) {
          column.set(row, state);
          expected.set(row, state);
        }
        for (let row = 0; row < 45; row += 1) expect(column.get(row)).toBe(expected.get(row) ?? null);
      }),
    );
  });

  it.each([0, 1, 4_095, 4_096, 6_143, 100_000])('grows to row %i', (row) => {
    const column = makeStateColumn();
    column.set(row, null);
    column.set(0, '1767225600.123456000');
    column.set(row, '1767225600.1000');
    expect(column.get(row)).toBe('1767225600.1000');
    if (row > 0) expect(column.get(0)).toBe('1767225600.123456000');
    if (row > 1) expect(column.get(row - 1)).toBeNull();
    expect(column.get(row + 1)).toBeNull();
  });
});

describe('a set of kennitalas', () => {
  it('knows each once, however many there are', () => {
    const set = makeKennitalaSet();
    const all = makeKennitalas(7_000);
    // As the documents' names come: by their number, zeros in front.
    expect(all.map((kennitala) => kennitalaOf(Number(kennitala)))).toEqual(all);
    expect(all.every((kennitala) => set.add(kennitala))).toBe(true);
    expect(all.some((kennitala) => set.add(kennitala))).toBe(false);
    for (const lowest of ['0000000000', '0000000001'] as Kennitala[])
      expect([set.add(lowest), set.add(lowest)]).toEqual([true, false]);
  });
});

describe('a digest of a set of texts', () => {
  const digestOf = (texts: readonly string[], from?: string) => {
    const digest = makeSetDigest(from);
    for (const text of texts) digest.add(text);
    return digest;
  };

  const expectSumOf = (texts: readonly string[]) => {
    const sum = texts
      .map((text) => BigInt(`0x${createHash('sha256').update(text).digest('hex')}`))
      .reduce((one, other) => (one + other) % 2n ** 256n, 0n);
    const bytes = Buffer.from(sum.toString(16).padStart(64, '0'), 'hex');
    expect(digestOf(texts).sum()).toBe(bytes.toString('hex'));
    expect(digestOf(texts).finish()).toBe(createHash('sha256').update(bytes).digest('hex'));
  };

  it('is the sum of their hashes, hashed', () => {
    // Enough of them that each byte is carried over, the first too.
    expectSumOf(Array.from({ length: 40 }, (_, n) => `text ${n}`));
    fc.assert(fc.property(fc.uniqueArray(fc.string()), expectSumOf));
  });

  it('does not depend on their order, and goes on where another one was', () => {
    const texts = ['a', 'b', 'c', 'd'];
    const whole = digestOf(texts).finish();
    expect(digestOf(texts.toReversed()).finish()).toBe(whole);
    expect(digestOf(['c', 'd'], digestOf(['a', 'b']).sum()).finish()).toBe(whole);
    expect(digestOf(['a', 'b', 'c']).finish()).not.toBe(whole);
  });
});
