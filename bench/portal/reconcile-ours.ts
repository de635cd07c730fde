import { makeMemberPages, makeMemberReader } from '../../functions/src/adapters/django/read-members.ts';
import { makeHintStore } from '../../functions/src/adapters/firestore/hint-store.ts';
import {
  makePortalIndex,
  makePortalWriter,
} from '../../functions/src/adapters/firestore/portal-documents.ts';
import { makeRosterRefresh } from '../../functions/src/adapters/firestore/roster-refresh.ts';
import { runMirror } from '../../functions/src/mirror/run.ts';
import { makePortalMirror } from '../../functions/src/portal/reconcile/portal-mirror.ts';
import { RECONCILE_LEASE_MS, RECONCILE_RUN_LIMIT_MS } from '../../functions/src/wiring/reconcile.ts';
import { runDependencies, shared } from '../../functions/src/wiring/shared.ts';

/**
 * The nightly run as it is deployed, the guard and the record included. Only its rate of writing can be set free:
 * Cloud Firestore asks a load to begin with 500 writes a second, which a benchmark of the algorithm does not measure.
 */
export default async (): Promise<void> => {
  const base = shared();
  const { config, firestore, now, reference, registry } = base;
  const portal = makePortalMirror({
    pages: makeMemberPages(registry, { baseUrl: config.registry.baseUrl }),
    registry: makeMemberReader(registry),
    index: makePortalIndex(firestore),
    writer: makePortalWriter(firestore, { throttling: process.env['BENCH_THROTTLING'] === 'true' }),
    rosterRefresh: makeRosterRefresh(firestore),
    hints: makeHintStore(firestore),
    reference,
    now,
  });
  const limits = { runLimitMs: RECONCILE_RUN_LIMIT_MS, leaseMs: RECONCILE_LEASE_MS };
  const dependencies = runDependencies(base, limits);
  const { record } = await runMirror(portal, { trigger: 'local' }, dependencies);
  if (record.status !== 'success') throw new Error(`The run ended ${record.outcome}: ${record.error}`);
};
