import { z } from 'zod';
import { receipt, sha256, signedHead, stream } from '../../proof/schemas.ts';
import { reasonText, time } from './common.ts';

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

/** As a person writes it; read by `parseMoment`. */
const moment = z.string().min(1).max(40);

export const rollName = z
  .string()
  .regex(/^[a-z](?:[a-z0-9]|-(?=[a-z0-9])){2,59}$/, {
    error: 'a name of 3 to 60 letters a-z, digits and hyphens, a letter first',
  })
  .refine((name) => !/\d{6}/.test(name), { error: 'a name without long numbers' });

/** Of a moment, or one that is frozen; with `list` the people too. */
export const rollBody = z
  .strictObject({ at: moment.optional(), name: rollName.optional(), list: z.boolean().default(false) })
  .refine(({ at, name }) => (at === undefined) !== (name === undefined), {
    path: ['at'],
    error: 'a moment, or the name of a frozen roll',
  });

export const frozenRoll = z.object({
  name: rollName,
  until: time,
  by: z.string(),
  reason: z.string(),
  frozenAt: time,
  receipt,
});

export const rollAnswer = z.object({
  receipt,
  /** Null for a roll that is not frozen. */
  frozen: frozenRoll.nullable(),
  /** The file as it was published: one kennitala a line. Null where it was not asked for. */
  list: z.string().nullable(),
  publicKeys: z.array(publicKey),
});

export const compareBody = z.strictObject({ from: moment, to: moment });
export const compareAnswer = z.object({
  from: receipt,
  to: receipt,
  added: z.array(z.string()),
  removed: z.array(z.string()),
});

export const freezeBody = z.strictObject({
  name: rollName,
  at: moment,
  /** The last day on which it is needed. */
  until: z.iso.date(),
  reason: reasonText,
});
export const frozenRolls = z.object({ rolls: z.array(frozenRoll) });
