import type { BenchOptions, BenchReport } from '../lib/benchmark.ts';
import { benchReconcile } from './reconcile-report.ts';
import { benchWebhook } from './webhook.ts';

/** The portal: the reconcile, to which `--sizes` applies, and the webhook. */
export default async (options: BenchOptions): Promise<BenchReport> => {
  const reconcile = await benchReconcile(options);
  const webhook = await benchWebhook(options);
  return {
    tables: [...reconcile.tables, ...webhook.tables],
    goals: [...reconcile.goals, ...webhook.goals],
    samples: { reconcile: reconcile.samples, webhook: webhook.samples },
  };
};
