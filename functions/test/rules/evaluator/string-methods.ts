import { EvaluationError, UnsupportedError } from './errors.ts';
import { compileRe2 } from './regex.ts';
import type { Value } from './values.ts';

/** https://firebase.google.com/docs/reference/rules/rules.String */
export const STRING_METHODS: Readonly<Record<string, (text: string, args: readonly Value[]) => Value>> = {
  // UTF-16 units, where matches() counts characters.
  size: (text) => BigInt(text.length),
  lower: (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  upper: (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  trim: (text) => text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, ''),
  matches: (text, [pattern]) => compileRe2(asString(pattern), 'whole').test(text),
  replace: (text, [pattern, replacement]) => {
    const written = asString(replacement);
    if (/[\\$]/.test(written)) throw new UnsupportedError('a reference in a replacement');
    return text.replace(compileRe2(asString(pattern), 'global'), written);
  },
  split: (text, [pattern]) => {
    if (/[(]/.test(asString(pattern))) throw new UnsupportedError('a group in a split');
    return text.split(compileRe2(asString(pattern), 'global'));
  },
};

function asString(value: Value | undefined): string {
  if (typeof value !== 'string') throw new EvaluationError('not a string');
  return value;
}
