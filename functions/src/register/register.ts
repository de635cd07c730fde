import pMap from 'p-map';
import { isPlaceholder, type Kennitala } from '../domain/kennitala.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { asSyncError, SyncError } from '../lib/errors.ts';
import type { Mirror, RunContext, RunReport, RunTrigger } from '../mirror/mirror.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../mirror/run.ts';
import type { MemberPages, MemberReader } from '../registry/ports.ts';
import { collectMembers, toStagedMember } from './collect-members.ts';
import { makeNotifications, type Subscriber } from './notify.ts';
import { planRegister, type RegisterPlan, type RegisterSource, toRegisterSource } from './plan-register.ts';
import {
  type EventResult,
  type KnownUnreadable,
  type ReferTo,
  type RegisterStore,
  type RegisterTransaction,
  type RowStore,
  SAID,
  type StagedMember,
  type SyncLogCounts,
  type SyncLogDetails,
  type SyncType,
} from './ports.ts';
import {
  countsOf,
  detailsOf,
  makeRegisterLogs,
  type PlanSamples,
  type RegisterLogs,
  samplesOf,
} from './register-logs.ts';

export interface RegisterOptions {
  readonly pages: MemberPages;
  /** Asked for who is on no page, where pages are counted; without it they are believed. */
  readonly registry?: MemberReader | undefined;
  readonly store: RegisterStore;
  readonly referTo: ReferTo;
  readonly subscribers: readonly Subscriber[];
  /** Base URL of the API, for the link in notifications. */
  readonly apiUrl: string;
  /** Only members of these buckets are on the pages, and nothing is said of anybody else. */
  readonly buckets?: readonly number[] | undefined;
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
      const collected = await collectMembers(pages.pages({ signal }));
      const source = toRegisterSource(collected, { mayBeEmpty: options.buckets !== undefined });
      known = { source, plan: null };
      return source;
    },

    plan: async (source, context) => {
      await close();
      const { members, unreadable } = source.collected;
      const stage = (known: readonly KnownUnreadable[]): Promise<RegisterTransaction> =>
        store.stage(members, known, {
          signal: context.signal,
          startedAt: context.startedAt,
          exclusive: !dryRun,
          buckets: options.buckets,
        });
      const hidden: KnownUnreadable[] = [];
      const asked = new Set<Kennitala>();
      for (;;) {
        open = await stage([...unreadable, ...hidden]);
        const unasked = open.differences.removed.filter((kennitala) => !asked.has(kennitala));
        if (options.registry === undefined || !mayHideMembers(members, unasked)) break;
        // Other writers do not wait for the registry; whom one of them has added meanwhile is asked about too.
        await close();
        hidden.push(...(await findHidden(unasked, options.registry, context.signal)));
        for (const kennitala of unasked) asked.add(kennitala);
      }
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

/** More are a mass removal, which the guard refuses and a person looks at. */
const MOST_ASKED = 500;
const ASKED_AT_ONCE = 4;

/**
 * Pages that are counted (`?page=2`) move when somebody leaves between two of them: a third member can then be on no page, and
 * where another has joined, the total tells nothing. With the companion app, whose members carry versions, a page begins after
 * the last row of the one before, and nobody is hidden.
 */
const mayHideMembers = (members: readonly StagedMember[], removed: readonly Kennitala[]): boolean =>
  removed.length > 0 && removed.length <= MOST_ASKED && members.every(({ version }) => version === null);

/** Of those who were on no page, whom the registry has all the same. Throws the `registry_*` codes. */
const findHidden = async (
  removed: readonly Kennitala[],
  registry: MemberReader,
  signal: AbortSignal,
): Promise<readonly KnownUnreadable[]> => {
  const ask = async (kennitala: Kennitala) => {
    const member = await registry.readMember(kennitala, { signal });
    return member === null ? [] : [{ kennitala, external_id: null }];
  };
  return (await pMap(removed, ask, { concurrency: ASKED_AT_ONCE })).flat();
};

export interface RegisterReport extends RunReport {
  /** A few members of each kind of change, by opaque reference; null without a plan. */
  readonly samples: PlanSamples | null;
}

const SYNC_TYPES: Readonly<Record<RunTrigger, SyncType>> = {
  schedule: 'membership',
  http: 'manual',
  local: 'manual',
  event: 'membership',
  // Readers of the log take a run of any other kind for one that has verified everybody.
  proof: 'webhook',
};

/**
 * One run of the register. A run that failed or was refused also closes its row in `sync_log`, in a transaction of its
 * own; when the database does not even take that, the record in Firestore says why and the next run closes the row.
 */
export const runRegisterMirror = async (
  request: RunRequest,
  options: RegisterOptions,
  dependencies: RunDependencies,
): Promise<RegisterReport> => {
  const register = makeRegister(options, {
    syncType: SYNC_TYPES[request.trigger],
    dryRun: request.dryRun === true,
  });
  const report = await runMirror(register, request, dependencies);
  const { record } = report;
  if (record.status === 'error') {
    const { errorCode, error, guard } = record;
    try {
      await register.failLog({ outcome: record.outcome, code: errorCode, error, guard });
    } catch (cause) {
      makeRegisterLogs(dependencies.log).logRowLost(record.runId, asSyncError(cause));
    }
  }
  return { ...report, samples: register.samples() };
};

/**
 * Applies one registry event to the register, for when the webhook keeps it up to date between the hourly runs. Order and
 * repetition do not matter: the version decides, as for the portal. The next run mends what an event could not.
 */
export const applyEvent = async (
  change: MemberChange,
  { rows, referTo, logs, now }: { rows: RowStore; referTo: ReferTo; logs: RegisterLogs; now: () => Date },
): Promise<EventResult> => {
  const { kennitala, version, action } = change;
  const result = isPlaceholder(kennitala)
    ? 'skipped'
    : change.action === 'delete'
      ? await rows.deactivate({ kennitala, version }, now())
      : await rows.upsert(withVersion(toStagedMember(change.content).member, version), now());
  logs.eventApplied(referTo(kennitala), action, result);
  return result;
};

/** The event's own version counts; the one in the member is of the same change. */
const withVersion = (member: StagedMember, version: number | null): StagedMember =>
  version === null ? member : { ...member, version, said: member.said | SAID.version };
