const POLYNOMIAL_REVERSED = 0x82f63b78;

/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4), with which Secret Manager seals a payload. zlib.crc32 is another
 * polynomial, and the one in `@google-cloud/storage` would load that whole library for a few dozen bytes.
 */
export const crc32c = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL_REVERSED : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
};
