import { makeMemberPages, makeMemberReader } from '../adapters/django/read-members.ts';
import { makeHintStore } from '../adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makePortalIndex, makePortalWriter } from '../adapters/firestore/portal-documents.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import type { RunReport } from '../mirror/mirror.ts';
import { type RunRequest, runMirror } from '../mirror/run.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { ScheduledOccurrence } from '../mirror/run-store.ts';
import type { TakesWordOf } from '../portal/reconcile/compare-members.ts';
import { makePortalMirror, type PortalMirrorDependencies } from '../portal/reconcile/portal-mirror.ts';
import { type SyncedMember, type SyncMemberRequest, syncMember } from '../portal/reconcile/sync-member.ts';
import type { Found } from '../proof/look.ts';
import type { MemberPages } from '../registry/ports.ts';
import { runDependencies, type Shared, wiredOnce } from './shared.ts';

/** Less than the reconcile functions' 1,800 s by more than a batch of writes with its tries. */
export const RECONCILE_RUN_LIMIT_MS = 1_620_000;
/** More than those 1,800 s, so that a live run never loses its lease. */
export const RECONCILE_LEASE_MS = 1_860_000;
/** Less than the 60 s that Firebase Hosting waits, so that the answer is ours. */
const SYNC_MEMBER_LIMIT_MS = 45_000;

/** The portal's mirror over its stores. Opens nothing. */
export const wireReconcile = (base: Shared) => {
  const { config, firestore, log, now, reference, registry } = base;
  const portal = {
    pages: makeMemberPages(registry, {
      baseUrl: config.registry.baseUrl,
      deadlineMs: config.registry.fetchTimeoutMs,
    }),
    registry: makeMemberReader(registry, { deadlineMs: config.registry.fetchTimeoutMs }),
    index: makePortalIndex(firestore),
    writer: makePortalWriter(firestore),
    rosterRefresh: makeRosterRefresh(firestore),
    hints: makeHintStore(firestore),
    reference,
    now,
  };
  const limits = { runLimitMs: RECONCILE_RUN_LIMIT_MS, leaseMs: RECONCILE_LEASE_MS };
  const run = (mirror: Partial<PortalMirrorDependencies>, request: RunRequest): Promise<RunReport> =>
    runMirror(makePortalMirror({ ...portal, ...mirror }), request, runDependencies(base, limits));
  return {
    portal,
    whole: (request: RunRequest, takesWordOf: TakesWordOf) => run({ takesWordOf }, request),
    part: ({ part, documents, activeOutside }: Found) =>
      run(
        {
          pages: pagesOf(part.members, portal.pages),
          scope: { documents, activeOutside },
        },
        { trigger: 'proof' },
      ),
    /** One member on demand, for an administrator. Throws the `registry_*` codes, `member_invalid`, `store_unavailable`. */
    syncMember: (request: Omit<SyncMemberRequest, 'signal'>): Promise<SyncedMember> =>
      syncMember(
        { ...request, signal: AbortSignal.timeout(SYNC_MEMBER_LIMIT_MS) },
        { ...portal, members: makeMemberStore(firestore), log },
      ),
  };
};

/** Members who were read already as the only page; what changed lately is asked for all the same. */
const pagesOf = (members: readonly unknown[], others: MemberPages): MemberPages => ({
  async *pages(options) {
    if (options.modifiedSince !== undefined) yield* others.pages(options);
    else yield { members, count: members.length };
  },
});

const wired = wiredOnce(wireReconcile);

/** One run of the portal, whoever asked for it; `takesWordOf`: the registry's word counts also where it is the older one. */
export const runReconcile = (
  request: RunRequest,
  takesWordOf: TakesWordOf = null,
  base?: Shared,
): Promise<RunReport> => wired(base).whole(request, takesWordOf);

/** One run of the portal over the buckets that a proof has read. */
export const reconcilePart = (found: Found, base?: Shared): Promise<RunReport> => wired(base).part(found);

/** The scheduled run. Throws when Cloud Scheduler should try this occurrence again. */
export const runScheduledReconcile = async (occurrence: ScheduledOccurrence, base?: Shared): Promise<void> =>
  assertOccurrenceDone(await runReconcile({ trigger: 'schedule', occurrence }, null, base));

export const syncOneMember = (
  request: Omit<SyncMemberRequest, 'signal'>,
  base?: Shared,
): Promise<SyncedMember> => wired(base).syncMember(request);
