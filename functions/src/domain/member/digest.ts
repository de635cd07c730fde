import { createHmac, hash } from 'node:crypto';
import type { Kennitala } from '../kennitala.ts';

/** How the registry makes a digest of a member; sums of another scheme say nothing about these. */
export const DIGEST_SCHEME = 'wire/1';

/** Sets of members are cut by the first byte of SHA-256 of the kennitala. */
export const BUCKETS = 256;

/**
 * What is kept of a member's digest: its first and second 32 bits, as unsigned numbers. The digest is the registry's word
 * (SHA-256 of the member as it sends them), and each store keeps that of what it applied: nobody makes a second one.
 */
export interface DigestNumbers {
  readonly a: number;
  readonly b: number;
}

/**
 * The numbers of a set of members, added up. Two sets that differ have the same count and sums by chance once in 2^64.
 * Sums are exact: 2^21 members of 32 bits stay below 2^53, so a Firestore integer and a JSON number hold them whole.
 */
export interface SetSums extends DigestNumbers {
  readonly count: number;
}

export const NO_MEMBERS: SetSums = { count: 0, a: 0, b: 0 };

const DIGEST = /^[0-9a-f]{64}$/;

/** Null for what is no SHA-256 in lower-case hex. */
export const tryDigest = (text: unknown): DigestNumbers | null =>
  typeof text === 'string' && DIGEST.test(text)
    ? { a: Number.parseInt(text.slice(0, 8), 16), b: Number.parseInt(text.slice(8, 16), 16) }
    : null;

export const isSameDigest = (one: DigestNumbers | undefined, other: DigestNumbers | undefined): boolean =>
  one?.a === other?.a && one?.b === other?.b;

/** 0 to 255. */
export const bucketOf = (kennitala: Kennitala): number => keyOf(kennitala).readUInt8(0);

/** What a member adds where a store knows the kennitala alone: the numbers of its own SHA-256. */
export const keyNumbersOf = (kennitala: Kennitala): DigestNumbers & { readonly bucket: number } => {
  const key = keyOf(kennitala);
  return { bucket: key.readUInt8(0), a: key.readUInt32BE(0), b: key.readUInt32BE(4) };
};

export const addSums = (one: SetSums, other: SetSums): SetSums => ({
  count: one.count + other.count,
  a: one.a + other.a,
  b: one.b + other.b,
});

export const subtractSums = (one: SetSums, other: SetSums): SetSums => ({
  count: one.count - other.count,
  a: one.a - other.a,
  b: one.b - other.b,
});

export const sumOf = (sums: Iterable<SetSums>): SetSums => {
  let total = NO_MEMBERS;
  for (const one of sums) total = addSums(total, one);
  return total;
};

export const isSameSums = (one: SetSums, other: SetSums): boolean =>
  one.count === other.count && one.a === other.a && one.b === other.b;

/** Sums of kennitalas by bucket: 256 of them. `buckets` is filled with that of each, in their order. */
export const keySumsOf = (kennitalas: Iterable<Kennitala>, buckets?: Uint8Array): SetSums[] => {
  const [count, a, b] = [0, 1, 2].map(() => new Float64Array(BUCKETS)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let place = 0;
  for (const kennitala of kennitalas) {
    const numbers = keyNumbersOf(kennitala);
    if (buckets !== undefined) buckets[place] = numbers.bucket;
    place += 1;
    count[numbers.bucket] = (count[numbers.bucket] ?? 0) + 1;
    a[numbers.bucket] = (a[numbers.bucket] ?? 0) + numbers.a;
    b[numbers.bucket] = (b[numbers.bucket] ?? 0) + numbers.b;
  }
  return Array.from(count, (members, bucket) => ({ count: members, a: a[bucket] ?? 0, b: b[bucket] ?? 0 }));
};

const keyOf = (kennitala: Kennitala): Buffer => hash('sha256', kennitala, 'buffer');

/**
 * The opaque reference by which logs, answers and records name a member: `m_` and 16 hexadecimal digits of an
 * HMAC-SHA256 under a secret key. The same member has the same reference for as long as the key stays, and nobody
 * without the key can find the number by trying all of them (there are fewer than 10^10).
 */
export const makeMemberReference = (key: string, kennitala: Kennitala): string =>
  `m_${createHmac('sha256', key).update(kennitala).digest('hex').slice(0, 16)}`;
