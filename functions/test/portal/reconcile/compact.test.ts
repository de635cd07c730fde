import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import {
  kennitalaOf,
  makeKennitalaSet,
  makeSetDigest,
  makeTextColumn,
} from '../../../src/portal/reconcile/compact.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

describe('a column of texts', () => {
  const any = fc.oneof(
    fc.constant(null),
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 30 }),
    // Around the width of a row.
    fc.integer({ min: 21, max: 26 }).map((length) => 'x'.repeat(length)),
  );

  it('gives back what was set last at each row, and null elsewhere', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 40 }), any), { maxLength: 60 }), (sets) => {
        const column = makeTextColumn();
        const expected = new Map<number, string | null>();
        for (const [row, text] of sets) {
          column.set(row, text);
          expected.set(row, text);
        }
        for (let row = 0; row < 45; row += 1) expect(column.get(row)).toBe(expected.get(row) ?? null);
      }),
    );
  });

  it('keeps neighbours apart, whatever their lengths', () => {
    for (let length = 0; length <= 60; length += 1) {
      const column = makeTextColumn();
      const [first, other] = ['x'.repeat(length), 'z'.repeat(length)];
      column.set(1, 'before');
      column.set(0, first);
      column.set(2, other);
      expect([column.get(0), column.get(1), column.get(2)]).toEqual([first, 'before', other]);
      column.set(1, 'y');
      expect([column.get(0), column.get(1), column.get(2), column.get(3)]).toEqual([first, 'y', other, null]);
    }
  });

  it.each([0, 1, 4_095, 4_096, 6_143, 100_000])('grows to row %i', (row) => {
    const column = makeTextColumn();
    column.set(0, 'first');
    column.set(row, 'last');
    expect(column.get(row)).toBe('last');
    if (row > 0) expect([column.get(0), column.get(row - 1) ?? 'first']).toEqual(['first', 'first']);
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
