/** With the invisible marks (`Cf`) that come along when a number is copied from a telephone. */
const SEPARATORS = /[\s\p{Pd}\p{Cf}()./]/gu;
const ICELANDIC = /^(?:(?:\+|00)?354)?(\d{7})$/;
const FOREIGN = /^(?:\+|00)([1-9]\d{4,14})$/;

/**
 * A telephone number in the portal's spelling:
 *
 * | written                                                     | becomes                                  |
 * |-------------------------------------------------------------|------------------------------------------|
 * | seven digits, behind `+354`, `00354`, `354` or nothing      | the seven digits                         |
 * | `+` or `00` and another country's number, of 5 to 15 digits | `+` and the digits                       |
 * | anything else                                               | as it stands: a person can still read it |
 *
 * Spaces, dashes, dots, slashes, brackets and invisible marks between the digits do not count.
 */
export const normalisePhone = (text: string): string => {
  const bare = text.replace(SEPARATORS, '');
  const icelandic = ICELANDIC.exec(bare)?.[1];
  if (icelandic !== undefined) return icelandic;
  const foreign = FOREIGN.exec(bare)?.[1];
  return foreign === undefined ? text : `+${foreign}`;
};
