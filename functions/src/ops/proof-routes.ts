import { defineRoute, type Route } from '../http/route.ts';
import { toSignedHead } from '../proof/chain.ts';
import { verifyRecords } from '../proof/verify.ts';
import type { OpsDependencies } from './dependencies.ts';
import { verifyAnswer } from './schemas/proof.ts';

/** Fifty thousand records and sixty lists of a million; below the function's 30 minutes. */
const VERIFY_LIMIT_MS = 900_000;

/** Routes that prove something and change nothing. */
export const proofRoutes = (ops: OpsDependencies): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/verify',
    answer: verifyAnswer,
    handle: async () => {
      const { streams, at, ...proof } = await verifyRecords(ops.verify, AbortSignal.timeout(VERIFY_LIMIT_MS));
      if (!proof.whole) ops.logs.chainBroken(proof.findingsInAll);
      return {
        ...proof,
        code: proof.whole ? null : ('chain_broken' as const),
        at: at.toISOString(),
        streams: streams.map(({ stream, links, first, head }) => ({
          stream,
          links,
          first,
          head: head === null ? null : toSignedHead(head),
        })),
        versions: { ...proof.versions },
        findings: proof.findings.map((finding) => ({ ...finding })),
        publicKeys: proof.publicKeys.map((key) => ({ ...key })),
      };
    },
  }),
];
