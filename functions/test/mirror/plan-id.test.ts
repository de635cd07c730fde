import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOperations, makeForecast, makePlanId } from '../../src/mirror/plan.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const parts = { mirror: 'roster', source: 'a', target: 'b', operations: 'c' };

describe('a plan id', () => {
  it('is 64 hexadecimal digits and the same for the same parts', () => {
    expect(makePlanId(parts)).toMatch(/^[0-9a-f]{64}$/);
    expect(makePlanId({ ...parts })).toBe(makePlanId(parts));
    // A plan that was made before a deployment can be approved after it.
    expect(makePlanId(parts)).toBe(sha256('6:plan/1;6:roster;1:a;1:b;1:c;'));
  });

  it('differs when any part differs, however the text is split between them', () => {
    fc.assert(
      fc.property(
        fc.record({ mirror: fc.string(), source: fc.string(), target: fc.string(), operations: fc.string() }),
        fc.record({ mirror: fc.string(), source: fc.string(), target: fc.string(), operations: fc.string() }),
        (one, other) => {
          const isEqual = JSON.stringify(one) === JSON.stringify(other);
          expect(makePlanId(one) === makePlanId(other)).toBe(isEqual);
        },
      ),
    );
    expect(makePlanId({ ...parts, source: 'ab', target: '' })).not.toBe(
      makePlanId({ ...parts, source: 'a', target: 'b' }),
    );
  });

  it('digests operations in their order, whatever their number', () => {
    const many = Array.from({ length: 10_000 }, (_, n) => `+${n}`);
    expect(digestOperations(many)).toBe(digestOperations(many.values()));
    expect(digestOperations(many)).not.toBe(digestOperations(many.toReversed()));
    expect(digestOperations([])).not.toBe(digestOperations(['']));
    for (const count of [0, 1, 4_096, 10_000]) {
      const some = many.slice(0, count);
      expect(digestOperations(some)).toBe(sha256(some.map((operation) => `${operation}\n`).join('')));
    }
  });
});

describe('a forecast', () => {
  it('prices operations at list price', () => {
    expect(
      makeForecast({ firestoreReads: 100_000, firestoreWrites: 200_000, firestoreDeletes: 100_000 }).costUsd,
    ).toBe(0.03 + 0.18 + 0.01);
    expect(makeForecast({ storageClassA: 10_000, storageClassB: 10_000 }).costUsd).toBe(0.054);
    expect(makeForecast({})).toEqual({
      firestoreReads: 0,
      firestoreWrites: 0,
      firestoreDeletes: 0,
      storageClassA: 0,
      storageClassB: 0,
      costUsd: 0,
    });
  });
});
