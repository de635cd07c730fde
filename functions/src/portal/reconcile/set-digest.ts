import { createHash } from 'node:crypto';

const BYTES = 32;

/**
 * A digest of a set of different texts that does not depend on their order: the registry may sort its pages
 * otherwise without having changed. The sum of the texts' SHA-256 as numbers of 256 bits, digested once more.
 */
export const makeSetDigest = () => {
  const sum = new Uint8Array(BYTES);
  return {
    add: (text: string): void => {
      const hash = createHash('sha256').update(text).digest();
      let carry = 0;
      for (let at = BYTES - 1; at >= 0; at -= 1) {
        carry += (sum[at] ?? 0) + (hash[at] ?? 0);
        sum[at] = carry & 0xff;
        carry >>= 8;
      }
    },
    finish: (): string => createHash('sha256').update(sum).digest('hex'),
  };
};
