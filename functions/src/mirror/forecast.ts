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
