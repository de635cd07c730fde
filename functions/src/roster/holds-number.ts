import type { Kennitala } from '../domain/kennitala.ts';

/** One, within a line. */
const SPACE = '[^\\S\\r\\n]?';

/**
 * Whether a published file has the number anywhere: in each spelling that `readHeldList` reads, and also beside other
 * text in a line that it cannot read, since a file may have been edited by hand.
 */
export const holdsNumber = (bytes: Uint8Array, kennitala: Kennitala): boolean => {
  const separator = `${SPACE}[-–]?${SPACE}`;
  const number = new RegExp(`(?<!\\d)${kennitala.slice(0, 6)}${separator}${kennitala.slice(6)}(?!\\d)`);
  return number.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
};
