import { UnsupportedError } from './errors.ts';

/** Patterns are few and tests are many. */
const compiled = new Map<string, RegExp>();

/** What RE2 and JavaScript (with its `u` flag) read alike: anything else stops the run. */
const SHARED_ESCAPE = /[dDwW.+*?()[\]{}|^$\\/nrtf-]/;

/**
 * Compiles an RE2 pattern of the rules language to a JavaScript expression that means the same.
 * RE2 syntax: https://github.com/google/re2/wiki/Syntax
 *
 * @throws UnsupportedError for syntax that the two languages do not share.
 */
export function compileRe2(pattern: string, flags: 'whole' | 'global'): RegExp {
  const key = `${flags} ${pattern}`;
  const known = compiled.get(key);
  if (known) return known;
  const source = translate(pattern);
  const expression = flags === 'whole' ? new RegExp(`^(?:${source})$`, 'u') : new RegExp(source, 'gu');
  compiled.set(key, expression);
  return expression;
}

function translate(pattern: string): string {
  let source = '';
  let isInClass = false;
  for (let place = 0; place < pattern.length; place += 1) {
    const character = pattern.charAt(place);
    const rest = pattern.slice(place);
    const codePoint = /^\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(rest);
    if (codePoint) {
      source += `\\u{${codePoint[1] ?? codePoint[2]}}`;
      place += codePoint[0].length - 1;
      continue;
    }
    if (character === '\\') {
      source += translateEscape(pattern.charAt(place + 1), isInClass);
      place += 1;
      continue;
    }
    if (!isInClass && rest.startsWith('(?') && !rest.startsWith('(?:'))
      throw new UnsupportedError('(? in a pattern');
    if (isInClass && /^\[[:.=]/.test(rest)) throw new UnsupportedError('a named class in a pattern');
    if (character === '[' && !isInClass) {
      isInClass = true;
      if (/^\[\^?\]/.test(rest)) throw new UnsupportedError('] first in a class');
    } else if (character === ']' && isInClass) {
      isInClass = false;
    } else if (character === '[') {
      source += '\\';
    } else if (!isInClass && character === '{') {
      assertRepetition(rest);
    }
    // Without `s`, JavaScript's dot leaves out three more line ends than RE2's.
    source += character === '.' && !isInClass ? '[^\\n]' : character;
  }
  return source;
}

function translateEscape(escaped: string, isInClass: boolean): string {
  // RE2's white space is ASCII; JavaScript's is Unicode's.
  if (escaped === 's') return isInClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]';
  if (!SHARED_ESCAPE.test(escaped) || (escaped === '-' && !isInClass)) {
    throw new UnsupportedError(`\\${escaped} in a pattern`);
  }
  return `\\${escaped}`;
}

function assertRepetition(rest: string): void {
  const counts = /^\{(\d+)(?:,(\d*))?\}/.exec(rest);
  if (!counts) throw new UnsupportedError('a brace that is no repetition in a pattern');
  if (Number(counts[1]) > 1000 || Number(counts[2] ?? 0) > 1000) {
    throw new UnsupportedError('a repetition over 1,000, which RE2 refuses');
  }
}
