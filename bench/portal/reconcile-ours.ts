type Pages = typeof import('../../functions/src/adapters/django/member-pages.ts');
type Reader = typeof import('../../functions/src/adapters/django/member-read.ts');
type Index = typeof import('../../functions/src/adapters/firestore/portal-index.ts');
type Writer = typeof import('../../functions/src/adapters/firestore/portal-writer.ts');
type Refresh = typeof import('../../functions/src/adapters/firestore/roster-refresh.ts');
type Run = typeof import('../../functions/src/mirror/run.ts');
type Portal = typeof import('../../functions/src/portal/reconcile/portal-mirror.ts');
type Reconcile = typeof import('../../functions/src/wiring/reconcile.ts');
type Shared = typeof import('../../functions/src/wiring/shared.ts');

/** The built module, as it is deployed; types are checked before anything is built. */
const built = async <Module>(path: string): Promise<Module> =>
  (await import(new URL(`../../functions/lib/${path}.js`, import.meta.url).href)) as Module;

const { makeMemberPages } = await built<Pages>('adapters/django/member-pages');
const { makeMemberReader } = await built<Reader>('adapters/django/member-read');
const { makePortalIndex } = await built<Index>('adapters/firestore/portal-index');
const { makePortalWriter } = await built<Writer>('adapters/firestore/portal-writer');
const { makeRosterRefresh } = await built<Refresh>('adapters/firestore/roster-refresh');
const { runMirror } = await built<Run>('mirror/run');
const { makePortalMirror } = await built<Portal>('portal/reconcile/portal-mirror');
const { RECONCILE_LEASE_MS, RECONCILE_RUN_LIMIT_MS } = await built<Reconcile>('wiring/reconcile');
const { runDependencies, shared } = await built<Shared>('wiring/shared');

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
    reference,
    now,
  });
  const limits = { runLimitMs: RECONCILE_RUN_LIMIT_MS, leaseMs: RECONCILE_LEASE_MS };
  const dependencies = runDependencies(base, limits);
  const { record } = await runMirror(portal, { trigger: 'local' }, dependencies);
  if (record.status !== 'success') throw new Error(`The run ended ${record.outcome}: ${record.error}`);
};
