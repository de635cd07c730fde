import { createHash } from 'node:crypto';

/** What a plan is made of. Equal parts give an equal id; if anything moved, the id differs. */
export interface PlanParts {
  readonly mirror: string;
  /** Digest of the canonical content that the registry sent. */
  readonly source: string;
  /** State of the target that the plan was made against: generation and digest, or 'absent'. */
  readonly target: string;
  /** Digest of the operations, in order. */
  readonly operations: string;
}

/** SHA-256 (hex) over the parts, each with its length before it, so that no two splits of a text collide. */
export const makePlanId = (parts: PlanParts): string => {
  const hash = createHash('sha256');
  for (const part of ['plan/1', parts.mirror, parts.source, parts.target, parts.operations]) {
    hash.update(`${Buffer.byteLength(part)}:${part};`);
  }
  return hash.digest('hex');
};

/** Digest (SHA-256, hex) of operations given as an ordered stream of short texts. */
export const digestOperations = (operations: Iterable<string>): string => {
  const hash = createHash('sha256');
  let pending: string[] = [];
  for (const operation of operations) {
    pending.push(operation);
    if (pending.length === BATCH) {
      hash.update(`${pending.join('\n')}\n`);
      pending = [];
    }
  }
  if (pending.length > 0) hash.update(`${pending.join('\n')}\n`);
  return hash.digest('hex');
};

const BATCH = 4_096;
