/**
 * Randomness by position instead of by sequence: the same (seed, position, salt) always gives the same number, so any
 * one of a million members can be made alone, in any order. The mixing is MurmurHash3's 32-bit finaliser.
 */
export const mix = (seed: number, position: number, salt: number): number => {
  let hash = seed ^ Math.imul(position + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  // A second round: with one, neighbouring positions under the same salt stay visibly related.
  hash = Math.imul(hash ^ (hash >>> 16) ^ salt, 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** A fraction in [0, 1). */
export const fraction = (seed: number, position: number, salt: number): number =>
  mix(seed, position, salt) / 0x1_0000_0000;

/** A whole number in [0, limit). */
export const below = (limit: number, seed: number, position: number, salt: number): number =>
  Math.floor(fraction(seed, position, salt) * limit);

/** One entry of a list that is known not to be empty. */
export const pick = <T>(list: readonly [T, ...T[]], seed: number, position: number, salt: number): T =>
  list[below(list.length, seed, position, salt)] ?? list[0];
