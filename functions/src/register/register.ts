import { SyncError } from '../lib/errors.ts';
import type { Mirror, RunContext } from '../mirror/mirror.ts';
import { collectMembers } from './collect-members.ts';
import { countsOf, detailsOf, type PlanSamples, samplesOf } from './log-details.ts';
import { makeNotifications, type Subscriber } from './notify/make-notifications.ts';
import { planRegister, type RegisterPlan } from './plan-register.ts';
import type {
  MemberPages,
  ReferTo,
  RegisterStore,
  RegisterTransaction,
  SyncLogCounts,
  SyncLogDetails,
  SyncType,
} from './ports.ts';
import { type RegisterSource, toRegisterSource } from './register-source.ts';

export interface RegisterOptions {
  readonly pages: MemberPages;
  readonly store: RegisterStore;
  readonly referTo: ReferTo;
  readonly subscribers: readonly Subscriber[];
  /** Base URL of the API, for the link in notifications. */
  readonly apiUrl: string;
  /** How long a row of `sync_log` may stay `pending` before its run counts as crashed. */
  readonly abandonedAfterMs: number;
}

export interface RegisterRun extends Mirror<RegisterSource, RegisterPlan> {
  /** A few members of each kind of change, once there is a plan. */
  samples(): PlanSamples | null;
  /** Closes the run's row in `sync_log` as `failed`, if it was opened and is still open. */
  failLog(why: SyncLogDetails): Promise<void>;
}

const NO_COUNTS: SyncLogCounts = { added: 0, removed: 0, verified: 0, errors: 0 };

/**
 * The register's part of one run; make a new one for each run, since it holds the transaction.
 *
 * fetch reads all pages into memory (some 30 MB at 100,000 members), so that the transaction lasts a second and not as
 * long as a slow registry takes, and can be made again when it is lost. plan stages them and compares; the transaction
 * stays open, and other writers of members wait, until apply commits or close rolls it back.
 *
 *     fetch: sync_log row "pending" ─▶ plan: begin, stage, compare ─▶ apply: write, row "success", commit
 *                                            └──────── close: rollback;  failLog: row "failed", a transaction of its own
 */
export const makeRegister = (
  options: RegisterOptions,
  { syncType, dryRun }: { readonly syncType: SyncType; readonly dryRun: boolean },
): RegisterRun => {
  const { pages, store, referTo } = options;
  let logId: number | null = null;
  let open: RegisterTransaction | null = null;
  let known: { source: RegisterSource; plan: RegisterPlan | null } | null = null;

  const close = async (): Promise<void> => {
    await open?.rollback();
    open = null;
  };

  const commit = async (plan: RegisterPlan, source: RegisterSource, context: RunContext) => {
    if (open === null || logId === null)
      throw new SyncError('internal', 'There is no transaction to commit.');
    await open.commit({
      at: context.startedAt,
      logId,
      counts: countsOf(plan),
      details: detailsOf(source, plan, referTo),
      notifications: makeNotifications(plan, context, options),
    });
    return {};
  };

  return {
    name: 'register',
    title: 'register sync',

    fetch: async ({ runId, startedAt, signal }) => {
      if (dryRun) await store.assertSchema();
      else {
        const abandonedBefore = new Date(startedAt.getTime() - options.abandonedAfterMs);
        logId = await store.openLog({ syncType, runId, at: startedAt, abandonedBefore });
      }
      const source = toRegisterSource(await collectMembers(pages.pages({ signal })));
      known = { source, plan: null };
      return source;
    },

    plan: async (source, context) => {
      await close();
      const { members, unreadable } = source.collected;
      open = await store.stage(members, unreadable, {
        signal: context.signal,
        startedAt: context.startedAt,
        exclusive: !dryRun,
      });
      const plan = planRegister({
        differences: open.differences,
        received: source.received,
        quarantined: unreadable.length,
        sourceDigest: source.digest,
        lastMemberCount: context.lastSuccess?.memberCount ?? null,
      });
      known = { source, plan };
      return plan;
    },

    apply: commit,
    confirm: commit,
    close,

    samples: () => (known?.plan ? samplesOf(known.plan, referTo) : null),

    failLog: async (why) => {
      if (logId === null) return;
      const counts =
        known === null ? NO_COUNTS : { ...NO_COUNTS, errors: known.source.collected.unreadable.length };
      await store.failLog(logId, counts, {
        ...(known === null ? {} : detailsOf(known.source, known.plan, referTo)),
        ...why,
      });
    },
  };
};
