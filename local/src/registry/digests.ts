import { createHash } from 'node:crypto';
import type { Directory } from './directory.ts';
import type { WireMember } from './wire-member.ts';

export const SCHEME = 'wire/1';
export const BUCKETS = 256;
const SUMS = ['a', 'b', 'ka', 'kb'] as const;

/** SHA-256 (hex) of the member as sent, without version and digest. Keys stand in one order, as every member is made alike. */
export const digestOf = ({ version: _version, ...content }: WireMember): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex');

/** The member as calls and events of the companion app carry it. */
export const withDigest = (member: WireMember): WireMember & { readonly digest: string } => ({
  ...member,
  digest: digestOf(member),
});

/** What a member adds to the sums of its bucket; for a kennitala of ten digits. */
export const numbersOf = (kennitala: string, digest: string) => {
  const key = createHash('sha256').update(kennitala).digest();
  const content = Buffer.from(digest, 'hex');
  return {
    bucket: key.readUInt8(0),
    a: content.readUInt32BE(0),
    b: content.readUInt32BE(4),
    ka: key.readUInt32BE(0),
    kb: key.readUInt32BE(4),
  };
};

type Numbers = ReturnType<typeof numbersOf>;

export type Digests = ReturnType<typeof makeDigests>;

/** Made at the first question and kept with the changes, since a million members take half a minute. */
export const makeDigests = (directory: Directory) => {
  const known = new Map<number, Numbers & { readonly revision: number }>();

  const numbersAt = (index: number): Numbers | null => {
    const kennitala = directory.ssn(index).replace('-', '');
    if (kennitala.startsWith('9999')) return null;
    const revision = directory.revision(index);
    const before = known.get(index);
    if (before?.revision === revision) return before;
    const numbers = { ...numbersOf(kennitala, digestOf(directory.member(index))), revision };
    known.set(index, numbers);
    return numbers;
  };

  return {
    /** 256 rows. */
    sums: () => {
      const zero = { count: 0, a: 0, b: 0, ka: 0, kb: 0 };
      const rows = Array.from({ length: BUCKETS }, (_, bucket) => ({ bucket, ...zero }));
      for (const index of directory.live()) {
        const numbers = numbersAt(index);
        const row = numbers && rows[numbers.bucket];
        if (!row) continue;
        row.count += 1;
        for (const name of SUMS) row[name] += numbers[name];
      }
      return rows;
    },
    /** The live rows of a bucket, without placeholders, which are no members. */
    rowsOf: (bucket: number): Int32Array =>
      directory.live().filter((index) => numbersAt(index)?.bucket === bucket),
  };
};
