import { isPlaceholder, type Kennitala, tryKennitala } from '../domain/kennitala.ts';
import {
  addSums,
  BUCKETS,
  bucketOf,
  type DigestNumbers,
  isSameDigest,
  isSameSums,
  keyNumbersOf,
  NO_MEMBERS,
  type SetSums,
  subtractSums,
  sumOf,
  tryDigest,
} from '../domain/member/digest.ts';
import { tryParseRegistryMember } from '../domain/member/parse-registry-member.ts';
import { isWire, numberIn } from '../domain/member/wire.ts';
import type { BucketSums } from './digest-ports.ts';

/** The buckets in which two stores differ. */
export const differingBuckets = (wanted: readonly SetSums[], held: readonly SetSums[]): number[] =>
  wanted.flatMap((sums, bucket) => (isSameSums(sums, held[bucket] ?? NO_MEMBERS) ? [] : [bucket]));

/**
 * The same for a store that answers the sums of one range of buckets at a time: each range that differs is halved, and of two
 * halves one is asked for. One difference takes eight questions, each over half as many members; every bucket takes 255.
 * A write in between can mislead it: the members of that bucket then turn out to be equal, and the caller looks again.
 */
export const findDifferingBuckets = async (
  wanted: readonly SetSums[],
  whole: SetSums,
  ask: (from: number, until: number) => Promise<SetSums>,
): Promise<number[]> => {
  const descend = async (from: number, until: number, held: SetSums): Promise<number[]> => {
    if (isSameSums(sumOf(wanted.slice(from, until)), held)) return [];
    if (until - from === 1) return [from];
    const middle = (from + until) / 2;
    const left = await ask(from, middle);
    const halves = await Promise.all([
      descend(from, middle, left),
      descend(middle, until, subtractSums(held, left)),
    ]);
    return halves.flat();
  };
  return descend(0, BUCKETS, whole);
};

/** The members of some buckets as the registry has them now. */
export interface RegistryPart {
  /** As sent. */
  readonly members: readonly unknown[];
  /** Those who can be read, with their digests. */
  readonly readable: ReadonlyMap<Kennitala, DigestNumbers>;
  /** Those who cannot, where at least the number can. */
  readonly unreadable: ReadonlySet<Kennitala>;
  /** How many cannot be read; some have not even a number. */
  readonly unreadableCount: number;
  /** Of every bucket that was read. */
  readonly sums: ReadonlyMap<number, BucketSums>;
}

/**
 * Null when a member came in a bucket that is not its own, or without a number or a digest: such an answer proves nothing.
 */
export const readPart = (members: ReadonlyMap<number, readonly unknown[]>): RegistryPart | null => {
  const readable = new Map<Kennitala, DigestNumbers>();
  const unreadable = new Set<Kennitala>();
  const sums = new Map<number, BucketSums>();
  let unreadableCount = 0;
  for (const [bucket, all] of members) {
    let total: BucketSums = { members: NO_MEMBERS, keys: NO_MEMBERS };
    for (const member of all) {
      const number = numberIn(member)?.replace('-', '') ?? null;
      const digest = isWire(member) ? tryDigest(member['digest']) : null;
      // The registry's own text counts for its sums, whether it is a kennitala or not.
      if (number === null || digest === null || bucketOf(number as Kennitala) !== bucket) return null;
      const key = keyNumbersOf(number as Kennitala);
      total = {
        members: addSums(total.members, { count: 1, ...digest }),
        keys: addSums(total.keys, { count: 1, a: key.a, b: key.b }),
      };
      const kennitala = tryKennitala(number);
      if (kennitala !== null && tryParseRegistryMember(member) !== null) {
        if (!isPlaceholder(kennitala)) readable.set(kennitala, digest);
        continue;
      }
      unreadableCount += 1;
      if (kennitala !== null) unreadable.add(kennitala);
    }
    sums.set(bucket, total);
  }
  return { members: [...members.values()].flat(), readable, unreadable, unreadableCount, sums };
};

/** Whether the part adds up to what the registry says of its buckets. */
export const addsUp = (part: RegistryPart, said: readonly BucketSums[]): boolean =>
  [...part.sums].every(
    ([bucket, { members, keys }]) =>
      isSameSums(members, said[bucket]?.members ?? NO_MEMBERS) &&
      isSameSums(keys, said[bucket]?.keys ?? NO_MEMBERS),
  );

/**
 * The members who differ: missing in the store, in the store alone, or with other content there. Those who cannot be read
 * stay as they are in every store, so they are no difference. A store of kennitalas alone has no digests.
 */
export const differencesIn = (
  { readable, unreadable }: Pick<RegistryPart, 'readable' | 'unreadable'>,
  held: ReadonlyMap<Kennitala, DigestNumbers | undefined>,
  by: 'content' | 'kennitala',
): Kennitala[] => {
  const missingOrOther = [...readable].filter(
    ([kennitala, digest]) =>
      !held.has(kennitala) || (by === 'content' && !isSameDigest(digest, held.get(kennitala))),
  );
  const tooMany = [...held.keys()].filter(
    (kennitala) => !readable.has(kennitala) && !unreadable.has(kennitala),
  );
  return [...missingOrOther.map(([kennitala]) => kennitala), ...tooMany];
};
