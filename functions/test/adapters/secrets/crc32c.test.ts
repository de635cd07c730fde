import { expect, it } from 'vitest';
import { crc32c } from '../../../src/adapters/secrets/secret-manager.ts';

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
it.each([
  ['nothing', Buffer.alloc(0), 0x00000000],
  ['the digits 1 to 9', Buffer.from('123456789'), 0xe3069283],
  ['32 bytes of zeroes', Buffer.alloc(32, 0), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 incrementing bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
])('gives the published checksum of %s', (_, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});
