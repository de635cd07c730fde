import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, digestOf, makeMemberList } from '../../src/domain/kennitala-list.ts';
import { anyKennitala, linesOf, makeKennitalas } from '../support/kennitalas.ts';

const hyphenated = (kennitala: string) => `${kennitala.slice(0, 6)}-${kennitala.slice(6)}`;

describe('bringing an export into canonical form', () => {
  it('sorts, drops repeats and counts what it found', () => {
    const { kennitalas, findings } = makeMemberList([
      '1502900309',
      '010130-2989',
      '0101302989',
      '9999123456',
      'rubbish',
      '5302697609',
      '8123456793',
    ]);
    expect([...kennitalas]).toEqual(['0101302989', '1502900309', '5302697609', '8123456793']);
    expect(findings).toEqual({
      received: 7,
      duplicates: 1,
      reformatted: 1,
      placeholders: 1,
      quarantined: 1,
      quarantinedAt: [4],
      systemNumbers: 1,
      legalEntities: 1,
      impossibleDates: 0,
    });
  });

  it('keeps the positions of the first twenty unreadable entries only', () => {
    const { findings } = makeMemberList(Array.from({ length: 30 }, () => 'x'));
    expect(findings.quarantined).toBe(30);
    expect(findings.quarantinedAt).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('gives the same list for any order, spelling and repetition of the same members', () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(anyKennitala, { maxLength: 60 })
          .chain((members) =>
            fc.tuple(
              fc.constant(members),
              fc.shuffledSubarray([...members, ...members.map(hyphenated), ...members.map((m) => ` ${m} `)]),
            ),
          ),
        ([members, noise]) => {
          const clean = makeMemberList(members);
          const noisy = makeMemberList([...noise, ...members]);
          expect([...noisy.kennitalas]).toEqual([...clean.kennitalas]);
          expect(noisy.findings.duplicates).toBe(noise.length);
        },
      ),
    );
  });

  it('accounts for every entry: published, repeated, placeholder or quarantined', () => {
    const entry = fc.oneof(anyKennitala, fc.string(), fc.constant('9999000001'));
    fc.assert(
      fc.property(fc.array(entry), (raw) => {
        const { kennitalas, findings } = makeMemberList(raw);
        const { duplicates, placeholders, quarantined } = findings;
        expect(kennitalas.length + duplicates + placeholders + quarantined).toBe(raw.length);
        expect([...kennitalas]).toEqual([...new Set(kennitalas)].sort());
      }),
    );
  });
});

describe('the text and its digest', () => {
  it('ends every line, so that the number of line ends is the number of members', () => {
    const textOf = (raw: string[]) => Buffer.from(bytesOf(makeMemberList(raw).kennitalas)).toString();
    expect(textOf(['0301000009', '0101000009', '0201000009'])).toBe('0101000009\n0201000009\n0301000009\n');
    expect(textOf([])).toBe('');
  });

  it('hashes the very bytes of the file, whatever the length', () => {
    for (const length of [0, 1, 8_191, 8_192, 8_193, 20_000]) {
      const list = makeKennitalas(length);
      const { kennitalas } = makeMemberList(list);
      expect(Buffer.from(bytesOf(kennitalas)).toString()).toBe(linesOf(list));
      expect(digestOf(kennitalas)).toBe(createHash('sha256').update(linesOf(list)).digest('hex'));
    }
  });
});
