/** What no text field of a member's may hold: first and last of each range. `functions/src/domain/storable.ts` agrees. */
export const HIDDEN_CHARACTERS: readonly (readonly [string, string])[] = [
  0x00, 0x01, 0x09, 0x0a, 0x0d, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0x61c, 0x180e, 0x200b, 0x200d,
  0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x206f, 0xfeff, 0xfff9, 0xfffb,
  0xe0001,
].map((codePoint) => [
  `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`,
  String.fromCodePoint(codePoint),
]);

/** The neighbours of those ranges, and what people write. The first ten UTF-16 units end with a whole character. */
export const VISIBLE_TEXT =
  'Þð é ~\u00a0\u200a\u2010😀\u2027\u202f\u205f\u2070\ufffc\ufefe日本 Ελ "\'<&;=+-@';
