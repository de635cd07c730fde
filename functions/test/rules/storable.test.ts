import { expect, test } from 'vitest';
import { isStorableText } from '../../src/domain/storable.ts';
import { HIDDEN_CHARACTERS, VISIBLE_TEXT } from './cases/hidden-characters.ts';

/** What a field of one line may not hold, although a text of several lines is storable. */
const LINES = ['U+0009', 'U+000A', 'U+000D', 'U+2028', 'U+2029'];

test.each(HIDDEN_CHARACTERS.filter(([name]) => !LINES.includes(name)))(
  '%s, which the rules refuse, is not storable',
  (_, character) => {
    expect(isStorableText(`a${character}b`)).toBe(false);
  },
);

test('what the rules allow is storable', () => {
  expect(isStorableText(VISIBLE_TEXT)).toBe(true);
});
