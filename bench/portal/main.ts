import type { BenchOptions, BenchReport } from '../lib/benchmark.ts';
import { benchGrowth } from './growth.ts';
import { benchReconcile } from './reconcile-report.ts';
import { benchWebhook } from './webhook.ts';

/** Above it, loading a local Firestore would take longer than everything else: such sizes are measured in memory alone. */
const LARGEST_LOCAL = 100_000;

/** The portal: the reconcile, to which `--sizes` applies, and the webhook. */
export default async (options: BenchOptions): Promise<BenchReport> => {
  const local = options.sizes?.filter((size) => size <= LARGEST_LOCAL) ?? null;
  const parts = {
    reconcile: await benchReconcile({ ...options, sizes: local }),
    growth: await benchGrowth(options),
    webhook: await benchWebhook(options),
  };
  return {
    tables: Object.values(parts).flatMap(({ tables }) => tables),
    goals: Object.values(parts).flatMap(({ goals }) => goals),
    samples: Object.fromEntries(Object.entries(parts).map(([name, { samples }]) => [name, samples])),
  };
};
