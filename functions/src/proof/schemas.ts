import { z } from 'zod';
import { STREAMS } from './signed.ts';

export const stream = z.enum(STREAMS);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The head of a chain, which its signature proves with the public key alone. */
export const signedHead = z.object({
  stream,
  number: z.number().int(),
  hash: sha256,
  key: z.string(),
  signature: z.string(),
});

const isoTime = z.string();
export const receipt = z.object({
  format: z.literal('membership-roll/1'),
  at: isoTime,
  count: z.number().int(),
  sha256,
  list: z.object({ generation: z.string(), publishedAt: isoTime, replacedAt: isoTime.nullable() }),
  run: z
    .object({
      runId: z.string(),
      planId: z.string().nullable(),
      approvedBy: z.string().nullable(),
      rollbackOf: z.string().nullable(),
    })
    .nullable(),
  registry: z.object({
    equalAt: isoTime.nullable(),
    ageSeconds: z.number().nullable(),
    notDone: z.number().int(),
  }),
  chain: signedHead.nullable(),
  issuedAt: isoTime,
  key: z.string(),
  signature: z.string(),
});
