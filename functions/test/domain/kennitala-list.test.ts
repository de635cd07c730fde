import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { linesOf, makeKennitalaCollector } from '../../src/domain/kennitala-list.ts';
import { anyKennitala, makeKennitalas } from '../support/kennitalas.ts';

const listOf = (kennitalas: readonly Kennitala[]) => {
  const collector = makeKennitalaCollector(kennitalas.length);
  for (const kennitala of kennitalas) collector.add(kennitala);
  return collector.finish();
};

describe('a compact list of kennitalas', () => {
  it('gives back what was collected: sorted, once each, leading zeros and all', () => {
    const smallest = '0001000000' as Kennitala;
    const largest = '9999999999' as Kennitala;
    fc.assert(
      fc.property(fc.array(fc.oneof(anyKennitala, fc.constantFrom(smallest, largest))), (collected) => {
        const list = listOf(collected);
        const expected = [...new Set(collected)].sort();
        expect([...list]).toEqual(expected);
        expect(list.length).toBe(expected.length);
      }),
    );
  });

  it('is one text as an array is: a line each, without the last end', () => {
    const kennitalas = makeKennitalas(50).sort();
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), (from, until) => {
        const expected = kennitalas.slice(from, Math.max(from, until));
        const lines = { count: expected.length, text: expected.join('\n') };
        expect(linesOf(listOf(kennitalas), from, until)).toEqual(lines);
        expect(linesOf(kennitalas, from, Math.max(from, until))).toEqual(lines);
      }),
    );
  });

  it('slices as an array does, beyond its end too', () => {
    const kennitalas = makeKennitalas(50);
    const list = listOf(kennitalas);
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.nat({ max: 60 }), (from, until) => {
        expect(list.slice(from, until)).toEqual(kennitalas.slice(from, until));
      }),
    );
  });

  it('is the same for a list that is longer than what is decoded at a time', () => {
    const kennitalas = makeKennitalas(20_000);
    expect([...listOf(kennitalas.toReversed())]).toEqual(kennitalas);
  });
});
