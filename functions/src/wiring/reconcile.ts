import { makeMemberPages } from '../adapters/django/member-pages.ts';
import { makeMemberReader } from '../adapters/django/member-read.ts';
import { makeHintStore } from '../adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makePortalIndex } from '../adapters/firestore/portal-index.ts';
import { makePortalWriter } from '../adapters/firestore/portal-writer.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import { answerAdminPost, answerJson, type HttpAnswer, type HttpCall } from '../lib/http-endpoint.ts';
import { type RunRequest, runMirror } from '../mirror/run.ts';
import type { ScheduledOccurrence } from '../mirror/run-store.ts';
import { assertOccurrenceDone } from '../mirror/scheduled-run.ts';
import type { RunReport } from '../mirror/types.ts';
import type { TakesWordOf } from '../portal/reconcile/compare-members.ts';
import { makePortalMirror } from '../portal/reconcile/portal-mirror.ts';
import { syncMember } from '../portal/reconcile/sync-member.ts';
import { syncMemberBody } from '../portal/reconcile/sync-member-body.ts';
import { answerRunRequest, runDependencies, type Shared, shared } from './shared.ts';

/** Less than the reconcile functions' 1,800 s by more than a batch of writes with its tries. */
export const RECONCILE_RUN_LIMIT_MS = 1_620_000;
/** More than those 1,800 s, so that a live run never loses its lease. */
export const RECONCILE_LEASE_MS = 1_860_000;
/** Less than syncMemberNow's 60 s, so that it can still answer. */
const SYNC_MEMBER_LIMIT_MS = 45_000;

const wireReconcile = (base: Shared): ((request: RunRequest, of?: TakesWordOf) => Promise<RunReport>) => {
  const { config, firestore, now, reference, registry } = base;
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
  return (request, takesWordOf = null) =>
    runMirror(makePortalMirror({ ...portal, takesWordOf }), request, runDependencies(base, limits));
};

let wired: ReturnType<typeof wireReconcile> | undefined;
/** One run of the portal, whoever asked for it; `takesWordOf`: the registry's word counts also where it is the older one. */
export const runReconcile = (request: RunRequest, takesWordOf: TakesWordOf = null): Promise<RunReport> => {
  wired ??= wireReconcile(shared());
  return wired(request, takesWordOf);
};

/** The scheduled run. Throws when Cloud Scheduler should try this occurrence again. */
export const runScheduledReconcile = async (occurrence: ScheduledOccurrence): Promise<void> =>
  assertOccurrenceDone(await runReconcile({ trigger: 'schedule', occurrence }));

/** `POST {"dryRun"?, "approve"?}` of an administrator. */
export const answerReconcile = (call: HttpCall): Promise<HttpAnswer> =>
  answerRunRequest(shared(), call, runReconcile);

/** `POST {"kennitala", "dryRun"?}` of an administrator. The answer holds personal values, as that is its purpose. */
export const answerSyncMember = (call: HttpCall): Promise<HttpAnswer> => {
  const { authorize, firestore, log, now, reference, registry } = shared();
  return answerAdminPost(call, {
    authorize,
    body: syncMemberBody,
    log,
    handle: async (body) =>
      answerJson(
        200,
        await syncMember(
          { ...body, signal: AbortSignal.timeout(SYNC_MEMBER_LIMIT_MS) },
          {
            members: makeMemberStore(firestore),
            registry: makeMemberReader(registry),
            rosterRefresh: makeRosterRefresh(firestore),
            reference,
            now,
            log,
          },
        ),
      ),
  });
};
