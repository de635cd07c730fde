const ascending = Buffer.from(Array.from({ length: 32 }, (_, index) => index));

/** RFC 3720, appendix B.4 (there with the bytes in the order of the wire), and the usual check value. */
export const crc32c: readonly { title: string; bytes: Buffer; hex: string }[] = [
  { title: '32 zeros', bytes: Buffer.alloc(32), hex: '8a9136aa' },
  { title: '32 ones', bytes: Buffer.alloc(32, 0xff), hex: '62a8ab43' },
  { title: '32 ascending bytes', bytes: ascending, hex: '46dd794e' },
  { title: '32 descending bytes', bytes: Buffer.from(ascending).reverse(), hex: '113fdb5c' },
  { title: 'the digits 1 to 9', bytes: Buffer.from('123456789'), hex: 'e3069283' },
  { title: 'nothing', bytes: Buffer.alloc(0), hex: '00000000' },
];
