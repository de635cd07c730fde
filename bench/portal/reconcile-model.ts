import { performance } from 'node:perf_hooks';
import { runMirror } from '../../functions/src/mirror/run.ts';
import { makePortalMirror } from '../../functions/src/portal/reconcile/portal-mirror.ts';
import { RECONCILE_LEASE_MS, RECONCILE_RUN_LIMIT_MS } from '../../functions/src/wiring/reconcile.ts';
import { runDependencies, shared } from '../../functions/src/wiring/shared.ts';
import { makePortalModel } from './model.ts';

export interface ModelRun {
  readonly outcome: string;
  readonly milliseconds: number;
  readonly pages: number;
  readonly documents: number;
  readonly reads: number;
  readonly writes: number;
}

/**
 * Runs until the portal is equal: one that its time does not suffice for is followed by the next. A run's time is up after so many
 * writes, which is the same on every machine.
 */
export default async (): Promise<ModelRun[]> => {
  const { BENCH_MEMBERS, BENCH_SITUATION, BENCH_WRITES_A_RUN } = process.env;
  const isLoad = BENCH_SITUATION?.startsWith('load') === true;
  const model = makePortalModel(Number(BENCH_MEMBERS), { isLoaded: !isLoad });
  if (BENCH_SITUATION === '1% changed') model.changeOnePercent();
  const base = shared();
  const limits = { runLimitMs: RECONCILE_RUN_LIMIT_MS, leaseMs: RECONCILE_LEASE_MS };
  const { reference, now } = base;
  const portal = makePortalMirror({ ...model.stores, reference, now });
  const mirror: typeof portal = {
    ...portal,
    apply: (plan, source, context) => {
      const isOver = model.overAfter(Number(BENCH_WRITES_A_RUN));
      return portal.apply(plan, source, { ...context, signal: AbortSignal.any([context.signal, isOver]) });
    },
  };
  const runs: ModelRun[] = [];
  for (let outcome: string | null = 'partial'; outcome === 'partial'; ) {
    const before = { ...model.counts };
    const start = performance.now();
    const { record } = await runMirror(
      mirror,
      { trigger: 'local' },
      { ...runDependencies(base, limits), log: () => undefined },
    );
    outcome = record.outcome;
    if (outcome !== 'partial' && record.status !== 'success') {
      throw new Error(`The run ended ${outcome}: ${record.error}`);
    }
    const { pages, documents, reads, writes } = model.counts;
    runs.push({
      outcome: outcome ?? 'running',
      milliseconds: performance.now() - start,
      pages: pages - before.pages,
      documents: documents - before.documents,
      reads: reads - before.reads,
      writes: writes - before.writes,
    });
  }
  if (!model.isEqual()) throw new Error('The runs left the portal unequal, so their time means nothing.');
  return runs;
};
