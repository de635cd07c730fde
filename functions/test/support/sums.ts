import { createHash } from 'node:crypto';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import {
  addSums,
  BUCKETS,
  bucketOf,
  type DigestNumbers,
  NO_MEMBERS,
  type SetSums,
  tryDigest,
} from '../../src/domain/member/digest.ts';
import { differingBuckets } from '../../src/proof/compare.ts';

/** A member as a registry with the companion app sends it: any digest does that another content has not. */
export const withDigest = <Wire extends object>(wire: Wire): Wire & { readonly digest: string } => ({
  ...wire,
  digest: createHash('sha256').update(JSON.stringify(wire)).digest('hex'),
});

type Numbered = Iterable<readonly [Kennitala, DigestNumbers | null | undefined]>;

/** The sums of every bucket, as a registry or a store says them. */
export const sumsOf = (members: Numbered): SetSums[] => {
  const sums = Array.from({ length: BUCKETS }, () => NO_MEMBERS);
  for (const [kennitala, digest] of members) {
    const bucket = bucketOf(kennitala);
    sums[bucket] = addSums(sums[bucket] ?? NO_MEMBERS, { count: 1, a: digest?.a ?? 0, b: digest?.b ?? 0 });
  }
  return sums;
};

/** What a proof would say of two sets, for the end of a history: the buckets in which they differ, none where they are equal. */
export const bucketsThatDiffer = (
  registry: Iterable<{ readonly kennitala: Kennitala; readonly digest: string }>,
  held: Numbered,
): number[] =>
  differingBuckets(
    sumsOf(Array.from(registry, ({ kennitala, digest }) => [kennitala, tryDigest(digest)] as const)),
    sumsOf(held),
  );
