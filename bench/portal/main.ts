import type { BenchOptions, BenchReport } from '../lib/benchmark.ts';
import { benchReconcile } from './reconcile-report.ts';

/** The portal: the reconcile. */
export default (options: BenchOptions): Promise<BenchReport> => benchReconcile(options);
