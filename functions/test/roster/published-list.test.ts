import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHeldList } from '../../src/roster/published-list.ts';
import { anyKennitala, linesOf, makeKennitalas } from '../support/kennitalas.ts';

const read = (text: string) => {
  const held = readHeldList(Buffer.from(text));
  return { ...held, kennitalas: [...held.kennitalas] };
};

describe('reading the published file', () => {
  it.each([
    ['our own file', '0101302989\n1502900309\n', ['0101302989', '1502900309'], 0],
    ['an empty file', '', [], 0],
    ['a file without the last line end', '0101302989\n1502900309', ['0101302989', '1502900309'], 0],
    ['Windows line ends', '0101302989\r\n1502900309\r\n', ['0101302989', '1502900309'], 0],
    ['blank lines', '\n0101302989\n\n\n', ['0101302989'], 0],
    ['blank lines with Windows line ends', '\r\n0101302989\r\n\r\n', ['0101302989'], 0],
    ['hyphens', '010130-2989\n', ['0101302989'], 0],
    ['disorder and repeats', '1502900309\n0101302989\n1502900309\n', ['0101302989', '1502900309'], 0],
    ['rubbish', 'kennitala\n0101302989\n<html>\n', ['0101302989'], 2],
  ])('reads %s', (_what, text, kennitalas, unreadable) => {
    expect(read(text)).toEqual({
      kennitalas,
      unreadable,
      sha256: createHash('sha256').update(text).digest('hex'),
    });
  });

  it('reads back any list that was written, longer than a slice too', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyKennitala), (members) => {
        const list = [...members].sort();
        expect(read(linesOf(list)).kennitalas).toEqual(list);
      }),
    );
    const long = makeKennitalas(40_000);
    expect(read(linesOf(long)).kennitalas).toEqual(long);
  });

  it('reads a single line that is longer than a slice as one unreadable line', () => {
    expect(read(`${'x'.repeat(200_000)}\n0101302989\n`)).toMatchObject({
      kennitalas: ['0101302989'],
      unreadable: 1,
    });
    expect(read(`0101302989\n${'x'.repeat(200_000)}`)).toMatchObject({
      kennitalas: ['0101302989'],
      unreadable: 1,
    });
  });
});
