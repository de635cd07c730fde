import { UnsupportedError } from './errors.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The value of a literal's text. Integers become bigint, so that 64-bit values and floats stay apart. */
export function parseLiteral(text: string): null | boolean | bigint | number | string {
  if (text === 'null') return null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (/^[0-9]+$/.test(text)) return BigInt(text);
  if (/^[0-9]+[.][0-9]+$/.test(text)) return Number(text);
  const quoted = /^(['"])([\s\S]*)\1$/.exec(text);
  if (!quoted) throw new UnsupportedError('a literal that is no null, boolean, decimal number or string');
  return (quoted[2] ?? '').replace(/\\([\s\S])/g, (_, escaped: string) => {
    const value = ESCAPES[escaped];
    if (value === undefined) throw new UnsupportedError(`\\${escaped} in a string`);
    return value;
  });
}
