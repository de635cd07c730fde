import { describe, expect, it } from 'vitest';
import { makeFormat, toCsv } from '../src/texts/format.ts';

const [english, icelandic] = [makeFormat('en'), makeFormat('is')];

describe('numbers on the page', () => {
  it('are written as each language writes them', () => {
    expect([english.number(2_216.5), icelandic.number(2_216.5)]).toEqual(['2,216.5', '2.216,5']);
    expect([english.number(null), icelandic.number(undefined)]).toEqual(['–', '–']);
  });

  it('say an amount roughly, however small it is', () => {
    expect([english.roughly(0.000_128), icelandic.roughly(0.000_128)]).toEqual(['0.00013', '0,00013']);
    expect([english.roughly(1.26), icelandic.roughly(1.26)]).toEqual(['1.3', '1,3']);
  });

  it('say how long ago something was, each language in its own grammar', () => {
    expect([40, 61, 3_599, 90_000, 86_400 * 21].map(english.ago)).toEqual([
      '40 seconds ago',
      '1 minute ago',
      '60 minutes ago',
      '25 hours ago',
      '21 days ago',
    ]);
    expect([41, 61, 600, 7_200, 86_400 * 21, 86_400 * 11].map(icelandic.ago)).toEqual([
      'fyrir 41 sekúndu',
      'fyrir 1 mínútu',
      'fyrir 10 mínútum',
      'fyrir 2 klukkustundum',
      'fyrir 21 degi',
      'fyrir 11 dögum',
    ]);
  });
});

describe('a list for a spreadsheet', () => {
  it.each([
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ['+354', `"'+354"`],
    ['-1', `"'-1"`],
    ['@sum', `"'@sum"`],
    ['\t=1', `"'\t=1"`],
    ['Jón; "Nonni"', '"Jón; ""Nonni"""'],
    ['a\r\nb', '"a\r\nb"'],
    ['', '""'],
  ])('writes %j so that it stays a text in one cell', (text, cell) => {
    expect(toCsv([[text, 'next']])).toBe(`${cell};"next"`);
  });
});
