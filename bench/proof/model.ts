import { createHash } from 'node:crypto';
import type { Kennitala } from '../../functions/src/domain/kennitala.ts';
import {
  BUCKETS,
  type DigestNumbers,
  keyNumbersOf,
  NO_MEMBERS,
  type SetSums,
  sumOf,
} from '../../functions/src/domain/member/digest.ts';
import type { BucketSums, RegistryDigests } from '../../functions/src/proof/digest-ports.ts';
import type { ProveDependencies } from '../../functions/src/proof/prove.ts';

/** Index entries for which Firestore bills one read: https://firebase.google.com/docs/firestore/pricing#aggregation_queries */
export const ENTRIES_A_READ = 1_000;
export const billed = (entries: number): number => Math.max(1, Math.ceil(entries / ENTRIES_A_READ));

interface Row extends DigestNumbers {
  readonly kennitala: Kennitala;
}

/** Consecutive system numbers, which belong to no person. */
const numberOf = (row: number): Kennitala => String(8_000_000_000 + row) as Kennitala;

const digestOf = (row: number, version: number): string =>
  createHash('sha256').update(`${row} ${version}`).digest('hex');

/**
 * A registry, a portal, a register and a roster of so many members in memory, which answer as the real ones do and count what
 * Firestore would bill. A million documents do not fit into a local Firestore; what is measured here is the algorithm, the
 * roster's file included, and no network.
 */
export const makeModel = (members: number) => {
  const rows: Row[][] = Array.from({ length: BUCKETS }, () => []);
  const places = new Int32Array(members);
  const lines: string[] = [];
  for (let n = 0; n < members; n += 1) {
    const kennitala = numberOf(n);
    const { bucket } = keyNumbersOf(kennitala);
    const digest = digestOf(n, 0);
    rows[bucket]?.push({ kennitala, ...wordsOf(digest) });
    places[n] = bucket;
    lines.push(kennitala);
  }
  const file = new TextEncoder().encode(`${lines.join('\n')}\n`);
  const changed = new Map<Kennitala, { readonly row: number; readonly digest: string }>();
  const counts = { reads: 0, runs: 0 };
  const portal = rows.map((bucket) => [...bucket]);

  const registryRow = (row: Row): Row => {
    const change = changed.get(row.kennitala);
    return change === undefined ? row : { ...row, ...wordsOf(change.digest) };
  };
  const keys = rows.map((bucket) =>
    sumOf(bucket.map(({ kennitala }) => ({ count: 1, ...keyNumbersOf(kennitala) }))),
  );
  const sumsOf = (bucket: readonly Row[]): SetSums => sumOf(bucket.map(({ a, b }) => ({ count: 1, a, b })));
  const portalSums = portal.map(sumsOf);
  let registrySums = rows.map(sumsOf);

  const registry: RegistryDigests = {
    sums: async () => ({
      newestVersion: changed.size,
      buckets: registrySums.map(
        (all, bucket): BucketSums => ({ members: all, keys: keys[bucket] ?? NO_MEMBERS }),
      ),
    }),
    members: async (bucket) =>
      (rows[bucket] ?? []).map(({ kennitala }) => {
        const row = Number(kennitala) - 8_000_000_000;
        return {
          id: row + 1,
          ssn: kennitala,
          version: 1,
          digest: changed.get(kennitala)?.digest ?? digestOf(row, 0),
        };
      }),
  };

  const dependencies: ProveDependencies = {
    registry,
    events: { outbox: async () => [] },
    portal: {
      sums: async (from, until) => {
        const sums = sumOf(portalSums.slice(from, until));
        counts.reads += billed(sums.count);
        return sums;
      },
      countActive: async () => {
        counts.reads += billed(members);
        return members;
      },
      documents: async (bucket) => {
        const held = portal[bucket] ?? [];
        counts.reads += Math.max(1, held.length);
        return held.map(({ kennitala, a, b }) => ({ kennitala, stored: storedWith({ a, b }), state: '1' }));
      },
    },
    roster: { read: async () => ({ generation: '1', bytes: file, chainHead: null }) },
    register: null,
    proofs: {
      read: async () => {
        counts.reads += 1;
        return null;
      },
      write: async () => undefined,
    },
    healing: {
      // What a run reads besides: its state, and each differing document with its pending edits.
      part: async (_mirror, { part, buckets }) => {
        counts.runs += 1;
        counts.reads += 2;
        for (const bucket of buckets) {
          portal[bucket] = (portal[bucket] ?? []).map((row) => {
            const said = part.readable.get(row.kennitala);
            if (said === undefined || (said.a === row.a && said.b === row.b)) return row;
            counts.reads += 2;
            return { ...row, ...said };
          });
          portalSums[bucket] = sumsOf(portal[bucket] ?? []);
        }
        return { record: { outcome: 'published' } } as never;
      },
      whole: () => Promise.reject(new Error('A single difference needs no whole reading.')),
    },
    standstill: async () => {
      counts.reads += 3;
      return { roster: null, portal: null, register: null };
    },
    log: () => undefined,
    now: () => new Date(),
  };

  return {
    dependencies,
    counts,
    /** Changes one member in the registry, of which nobody hears. */
    change: (row: number): void => {
      changed.set(numberOf(row), { row, digest: digestOf(row, changed.size + 1) });
      const bucket = places[row] ?? 0;
      registrySums = registrySums.with(bucket, sumsOf((rows[bucket] ?? []).map(registryRow)));
    },
  };
};

const wordsOf = (digest: string): DigestNumbers => ({
  a: Number.parseInt(digest.slice(0, 8), 16),
  b: Number.parseInt(digest.slice(8, 16), 16),
});

/** Of a document, a look needs the digest alone. */
const storedWith = (digest: DigestNumbers) => ({ meta: { digest } }) as never;
