import type { Kennitala } from '../../domain/kennitala.ts';
import { BUCKETS, NO_MEMBERS, type SetSums } from '../../domain/member/digest.ts';
import type { RegisterDigests } from '../../proof/digest-ports.ts';
import { type Database, makeCheckedTransactions } from './database.ts';

interface SumsRow {
  readonly bucket: number;
  readonly count: number;
  readonly a: string;
  readonly b: string;
}

interface MemberRow {
  readonly kennitala: Kennitala;
  readonly a: string | null;
  readonly b: string | null;
}

/** Sums are texts on the wire, since they are longer than an integer; below 2^53 they are exact as numbers. */
const SUMS = `
  select digest_bucket as bucket, count(*)::int as count,
         coalesce(sum(digest_a), 0)::text as a, coalesce(sum(digest_b), 0)::text as b
    from public.members where is_active group by 1`;

const ROWS = `
  select kennitala, digest_a::text as a, digest_b::text as b
    from public.members where is_active and digest_bucket = any($1::smallint[])`;

/** The register's side of a proof: each call one statement. */
export const makeRegisterDigests = (database: Database): RegisterDigests => {
  const read = makeCheckedTransactions(database);
  return {
    sums: () =>
      read(async (query) => {
        const sums: SetSums[] = Array.from({ length: BUCKETS }, () => NO_MEMBERS);
        for (const { bucket, count, a, b } of await query<SumsRow>(SUMS)) {
          sums[bucket] = { count, a: Number(a), b: Number(b) };
        }
        return sums;
      }),
    rows: (buckets) =>
      read(async (query) =>
        (await query<MemberRow>(ROWS, [buckets])).map(({ kennitala, a, b }) => ({
          kennitala,
          ...(a !== null && b !== null && { digest: { a: Number(a), b: Number(b) } }),
        })),
      ),
  };
};
