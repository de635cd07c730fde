import type { Address } from './member.ts';

type Street = Pick<Address, 'street' | 'number' | 'letter'>;

/** Words without a digit, one house number, at most one letter. */
const SAFE = /^(\D*[^\d\s])\s+([1-9]\d{0,4})(?:\s?(\p{L}))?$/u;

/**
 * "Laugavegur 1" or "Laugavegur 1a" in its parts. A text that could be read in two ways ("Laugavegur 1-3",
 * "2. gata 5", a floor behind a comma) stays whole in `street`: nothing of it is lost.
 */
export const parseStreetAddress = (text: string): Street => {
  const parts = SAFE.exec(text.trim());
  const [, street, number, letter] = parts ?? [];
  if (street === undefined || number === undefined) return { street: text, number: null, letter: '' };
  return { street, number: Number(number), letter: letter ?? '' };
};

/**
 * A house number as the registry or a member's client writes it: a number, or its digits as text. Any other text
 * ("1-3") joins the street, so that it is neither lost nor guessed at.
 */
export const withHouseNumber = (street: string, number: number | string, letter: string): Street => {
  if (typeof number === 'number') return { street, number, letter };
  const text = number.trim();
  if (text === '') return { street, number: null, letter };
  if (/^(?:0|[1-9]\d{0,4})$/.test(text)) return { street, number: Number(text), letter };
  return { street: `${street} ${text}`.trim(), number: null, letter };
};
