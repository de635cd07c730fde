import type { Expression } from '../evaluator/ast.ts';

/** What each list of texts must never come to hold, by the list's first text. */
const INTRUDERS: Readonly<Record<string, readonly string[]>> = {
  admin: ['editor'],
  profile: ['metadata', 'membership', 'unknown'],
  email: ['kennitala', 'name', 'birthday', 'gender', 'housing_situation', 'unknown'],
  street: ['kennitala', 'note'],
  // A path of keys: only its shortening is a fault.
  membership: [],
};

/** A list of texts with each of them left out, and with each intruder added; nothing for other lists. */
export function wordsLike(items: readonly Expression[]): readonly (readonly string[])[] {
  const words = items.flatMap((item) =>
    item.type === 'literal' && typeof item.value === 'string' ? [item.value] : [],
  );
  const [first] = words;
  if (first === undefined || words.length < items.length) return [];
  const intruders = INTRUDERS[first];
  if (!intruders) throw new Error(`name the intruders of the list that starts with ${first}`);
  return [...words.map((_, at) => words.toSpliced(at, 1)), ...intruders.map((word) => [...words, word])];
}

/** A pattern with each bound of its repetitions moved by one; a code point such as `\\x{2028}` is none. */
export function boundsIn(pattern: string): readonly string[] {
  return [...pattern.matchAll(/(?<=(?<!\\x)\{|\{\d+,)\d+(?=[,}])/g)].flatMap(({ index, 0: digits }) =>
    [Number(digits) - 1, Number(digits) + 1]
      .filter((bound) => bound >= 0)
      .map((bound) => pattern.slice(0, index) + bound + pattern.slice(index + digits.length)),
  );
}
