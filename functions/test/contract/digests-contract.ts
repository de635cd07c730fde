import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import {
  BUCKETS,
  bucketOf,
  type DigestNumbers,
  NO_MEMBERS,
  type SetSums,
  tryDigest,
} from '../../src/domain/member/digest.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

export interface HeldMember {
  readonly kennitala: Kennitala;
  /** SHA-256, hex, as the registry sends it; null for a member whose store has none. */
  readonly digest: string | null;
  readonly isActive: boolean;
}

export interface DigestsHarness {
  /** Makes the store hold exactly these. */
  readonly hold: (members: readonly HeldMember[]) => Promise<void>;
  /** 256 buckets. */
  readonly sums: () => Promise<readonly SetSums[]>;
  /** The active members of a bucket, with what is kept of each digest. */
  readonly membersOf: (bucket: number) => Promise<ReadonlyMap<Kennitala, DigestNumbers | undefined>>;
  /** What a member without a digest adds: nothing at all, or one to the count. */
  readonly withoutDigest: 'absent' | 'counted';
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const HIGHEST = 'f'.repeat(64);

/** What every store that takes part in a proof says of the digests it holds. `make` gives an empty one. */
export const describeDigests = (name: string, make: () => Promise<DigestsHarness>): void => {
  // Firestore is asked for each of 256 buckets, and its official emulator is not quick.
  describe(`sums of digests on ${name}`, { timeout: 300_000 }, () => {
    let harness: DigestsHarness;
    beforeEach(async () => {
      harness = await make();
    });

    const kennitalas = makeKennitalas(60);
    const everybody: readonly HeldMember[] = kennitalas.map((kennitala) => ({
      kennitala,
      digest: digestOf(kennitala),
      isActive: true,
    }));
    /** By arithmetic of our own, one member after the other. */
    const expected = (members: readonly HeldMember[]): SetSums[] => {
      const sums = Array.from(
        { length: BUCKETS },
        () => ({ ...NO_MEMBERS }) as { -readonly [K in keyof SetSums]: number },
      );
      for (const { kennitala, digest, isActive } of members) {
        const sum = sums[bucketOf(kennitala)];
        const numbers = tryDigest(digest);
        if (sum === undefined || !isActive || (numbers === null && harness.withoutDigest === 'absent'))
          continue;
        sum.count += 1;
        sum.a += numbers?.a ?? 0;
        sum.b += numbers?.b ?? 0;
      }
      return sums;
    };
    const held = async (members: readonly HeldMember[]) => {
      await harness.hold(members);
      return harness.sums();
    };

    it('are nothing, 256 times, where nobody is held', async () => {
      expect(await held([])).toEqual(expected([]));
    });

    it('are the sums of each bucket, as anybody adds them up', async () => {
      const sums = await held(everybody);
      expect(sums).toEqual(expected(everybody));
      expect(sums.reduce((total, { count }) => total + count, 0)).toBe(60);
    });

    it('follow a member who comes, who goes, and whose digest becomes another', async () => {
      const [first, second, ...others] = everybody as [HeldMember, HeldMember, ...HeldMember[]];
      expect(await held([second, ...others])).toEqual(expected([second, ...others]));
      const changed = [{ ...first, digest: digestOf('another') }, ...others];
      expect(await held(changed)).toEqual(expected(changed));
      expect(await held(everybody)).toEqual(expected(everybody));
    });

    it('leave out who is not active', async () => {
      const members = everybody.map((member, n) => ({ ...member, isActive: n % 3 !== 0 }));
      expect(await held(members)).toEqual(expected(members));
    });

    it('cannot be equal where a digest is missing', async () => {
      const members = everybody.map((member, n) => (n === 7 ? { ...member, digest: null } : member));
      const sums = await held(members);
      expect(sums).toEqual(expected(members));
      expect(sums).not.toEqual(expected(everybody));
    });

    it('are exact where every digest is the highest', async () => {
      const members = everybody.map((member) => ({ ...member, digest: HIGHEST }));
      const sums = await held(members);
      expect(sums).toEqual(expected(members));
      expect(sums.reduce((total, { a }) => total + a, 0)).toBe(60 * (2 ** 32 - 1));
    });

    it('are of members who can be read bucket by bucket', async () => {
      const members = everybody.map((member, n) => ({ ...member, isActive: n % 5 !== 0 }));
      await harness.hold(members);
      for (const bucket of new Set(kennitalas.slice(0, 8).map(bucketOf))) {
        expect(await harness.membersOf(bucket)).toEqual(
          new Map(
            members
              .filter(({ kennitala, isActive }) => isActive && bucketOf(kennitala) === bucket)
              .map(({ kennitala, digest }) => [kennitala, tryDigest(digest)]),
          ),
        );
      }
    });
  });
};
