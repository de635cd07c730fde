import { createHash } from 'node:crypto';

/** Both in base64, as the API writes them. */
export interface Checksums {
  readonly md5Hash: string;
  readonly crc32c: string;
}

export const checksumsOf = (bytes: Uint8Array): Checksums => ({
  md5Hash: createHash('md5').update(bytes).digest('base64'),
  crc32c: crc32c(bytes),
});

const CASTAGNOLI_REVERSED = 0x82f63b78;

/** node:zlib has CRC-32 but not CRC-32C. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? CASTAGNOLI_REVERSED : 0);
  return value;
});

/** CRC-32C (RFC 3720, appendix B.4): base64 of the value's four bytes, most significant first. */
export const crc32c = (bytes: Uint8Array): string => {
  let state = ~0;
  for (const byte of bytes) state = (state >>> 8) ^ (TABLE[(state ^ byte) & 0xff] as number);
  const value = Buffer.alloc(4);
  value.writeUInt32BE(~state >>> 0);
  return value.toString('base64');
};
