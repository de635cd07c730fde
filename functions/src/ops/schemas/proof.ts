import { z } from 'zod';
import { STREAMS } from '../../proof/chain.ts';
import { time } from './common.ts';

const stream = z.enum(STREAMS);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The head of a chain, which its signature proves with the public key alone. */
export const signedHead = z.object({
  stream,
  number: z.number().int(),
  hash: sha256,
  key: z.string(),
  signature: z.string(),
});

export const chainFinding = z.object({
  kind: z.enum(['missing', 'altered', 'reordered', 'inserted', 'unproven']),
  /** A document's path, or a version of the list. */
  where: z.string(),
  link: z.object({ stream, number: z.number().int() }).nullable(),
  why: z.string(),
});

export const publicKey = z.object({ id: z.string(), pem: z.string() });

/** What a walk over all records and all versions of the list found. */
export const verifyAnswer = z.object({
  whole: z.boolean(),
  /** Null when it is whole. */
  code: z.literal('chain_broken').nullable(),
  at: time,
  records: z.number().int(),
  /** Older than the chains: nothing can be said of them. */
  unchained: z.number().int(),
  /** Entries that an erasure took out; no finding. */
  erased: z.number().int(),
  streams: z.array(
    z.object({
      stream,
      links: z.number().int(),
      /** The first link that has not expired, and the hash of the one before it: the checkpoint of what has. */
      first: z.object({ number: z.number().int(), after: sha256.nullable() }).nullable(),
      head: signedHead.nullable(),
    }),
  ),
  versions: z.object({ checked: z.number().int(), unchained: z.number().int() }),
  /** At most 500. */
  findings: z.array(chainFinding),
  findingsInAll: z.number().int(),
  publicKeys: z.array(publicKey),
});
