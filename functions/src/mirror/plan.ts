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

/** Billable operations that a run makes, its own record and lease included. */
export interface Operations {
  readonly firestoreReads: number;
  readonly firestoreWrites: number;
  readonly firestoreDeletes: number;
  /** Uploads, listings and metadata changes. */
  readonly storageClassA: number;
  /** Downloads and metadata reads. */
  readonly storageClassB: number;
}

export interface Forecast extends Operations {
  /** US dollars at list price, the free daily quota not deducted. */
  readonly costUsd: number;
  /** How long the writing takes at the rate that the store allows; missing where that is no matter. */
  readonly seconds?: number;
}

/** US dollars an operation: https://cloud.google.com/firestore/pricing and https://cloud.google.com/storage/pricing */
const PRICE: Record<keyof Operations, number> = {
  firestoreReads: 0.03 / 100_000,
  firestoreWrites: 0.09 / 100_000,
  firestoreDeletes: 0.01 / 100_000,
  storageClassA: 0.05 / 10_000,
  storageClassB: 0.004 / 10_000,
};

const NONE: Operations = {
  firestoreReads: 0,
  firestoreWrites: 0,
  firestoreDeletes: 0,
  storageClassA: 0,
  storageClassB: 0,
};

/** Prices a set of operations; those that are not named are none. Rounded to a millionth of a dollar. */
export const makeForecast = (operations: Partial<Operations>, seconds?: number): Forecast => {
  const all: Operations = { ...NONE, ...operations };
  const costUsd = (Object.keys(PRICE) as (keyof Operations)[]).reduce(
    (sum, kind) => sum + all[kind] * PRICE[kind],
    0,
  );
  return { ...all, costUsd: Math.round(costUsd * 1e6) / 1e6, ...(seconds !== undefined && { seconds }) };
};
