import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, type MemberList, makeMemberList } from '../domain/kennitala-list.ts';
import { SyncError } from '../lib/errors.ts';
import { counted } from '../lib/log.ts';
import {
  type Mirror,
  type MirrorSource,
  type RunContext,
  type RunReport,
  type RunWarning,
  warningsOfNumbers,
} from '../mirror/mirror.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { RunStore } from '../mirror/run-store.ts';
import type { KennitalaExport, ListSource } from '../registry/ports.ts';
import { planRoster, type RosterPlan } from './plan-roster.ts';
import { endOfWindow, type ListMetadata, type ListStore, type RefreshRequests } from './ports.ts';
import { type ReadAhead, readAhead, readHeldList } from './published-list.ts';

export interface RosterSource extends MirrorSource {
  readonly list: MemberList;
  readonly readPublished: ReadAhead['read'];
}

/** The roster: `kennitalas.txt` in Cloud Storage, one kennitala a line, equal to the registry's member list. */
export const makeRoster = (registry: ListSource, store: ListStore): Mirror<RosterSource, RosterPlan> => ({
  name: 'roster',
  title: 'weekly member list sync',
  fetchesEarly: true,

  fetch: async ({ signal, ...before }) => {
    const answer = registry.fetchKennitalaExport({ signal });
    const { read: readPublished, giveUp } = readAhead(store, before, signal);
    try {
      return { ...validateExport(await answer), readPublished, giveUp };
    } catch (cause) {
      await giveUp();
      throw cause;
    }
  },

  plan: async (source, context) => {
    const { published, isPresumed } = await source.readPublished(context.signal);
    const { abandonedRunId } = context;
    const plan = planRoster({
      list: source.list,
      target:
        published === null ? null : { generation: published.generation, held: readHeldList(published.bytes) },
      lastMemberCount: context.lastSuccess?.memberCount ?? null,
      abandonedPublished:
        published !== null &&
        abandonedRunId !== null &&
        (await store.publishedBy(published.generation)) === abandonedRunId
          ? abandonedRunId
          : null,
    });
    return isPresumed ? { ...plan, isPresumed } : plan;
  },

  apply: async (plan, source, context) => ({
    objectGeneration: await store.publish(
      bytesOf(plan.kennitalas),
      metadataOf(plan, source, context),
      plan.ifGeneration,
    ),
  }),

  confirm: async (plan, source, context) => {
    if (plan.ifGeneration === null) return {};
    await store.refresh(metadataOf(plan, source, context), plan.ifGeneration);
    return { objectGeneration: plan.ifGeneration };
  },
});

/**
 * Refuses what is surely not the whole list. Throws `empty_export` when no member is left, `incomplete_export`
 * when fewer entries came than the registry says it has: publishing those would drop members.
 */
export const validateExport = (answer: KennitalaExport): Omit<RosterSource, 'readPublished'> => {
  const list = makeMemberList(answer.kennitalas);
  const { findings } = list;
  if (findings.received < answer.count) {
    throw new SyncError(
      'incomplete_export',
      `The registry says it has ${answer.count} members but sent ${findings.received}. Nothing was changed. ` +
        'Look at the registry export, then run again.',
      { details: { announced: answer.count, received: findings.received } },
    );
  }
  if (list.kennitalas.length === 0) {
    throw new SyncError(
      'empty_export',
      `The export holds no member (${findings.received} entries, ${findings.quarantined} unreadable, ` +
        `${findings.placeholders} placeholders). Nothing was changed. Look at the registry export, then run again.`,
      { details: { received: findings.received, quarantined: findings.quarantined } },
    );
  }
  return {
    list,
    received: findings.received,
    exportedAt: dateOf(answer.exportedAt),
    findings: { announced: answer.count, ...findings },
    warnings: warningsAbout(list, answer.count),
  };
};

const warningsAbout = ({ findings }: MemberList, announced: number): RunWarning[] => {
  const warnings: RunWarning[] = [];
  if (findings.received > announced) {
    warnings.push({
      code: 'more_than_announced',
      message: `The registry sent ${findings.received} entries but says it has ${announced}.`,
    });
  }
  if (findings.quarantined > 0) {
    warnings.push({
      code: 'quarantined_entries',
      message: `${counted(findings.quarantined, 'entry', 'entries')} cannot be read: left out; the first stand at positions ${findings.quarantinedAt.join(', ')} of the export (from 0).`,
    });
  }
  return [...warnings, ...warningsOfNumbers(findings)];
};

const metadataOf = (plan: RosterPlan, source: RosterSource, context: RunContext): ListMetadata => ({
  syncedAt: context.startedAt,
  memberCount: plan.memberCount,
  djangoExportedAt: source.exportedAt,
  sha256: plan.sha256,
  runId: context.runId,
  chainHead: context.chainHead ?? null,
});

/** An unreadable time is no reason to refuse a list: it is information only. */
const dateOf = (text: string | null): Date | null => {
  if (text === null) return null;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date;
};

interface RefreshDependencies {
  readonly requests: RefreshRequests;
  readonly runs: Pick<RunStore, 'readLastSuccess'>;
  readonly run: () => Promise<RunReport>;
  readonly now: () => Date;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Publishes the roster once for all changes of a window: waits for its end, and does nothing when a run that began
 * later has already published them. It goes through the whole pipeline, guard included.
 * Throws when the platform should deliver the event again: the run failed, or another one held the lease.
 */
export const publishWindow = async (
  window: string,
  { requests, runs, run, now, wait = sleep }: RefreshDependencies,
): Promise<void> => {
  const dueAt = endOfWindow(window);
  const early = dueAt.getTime() - now().getTime();
  if (early > 0) await wait(early);
  const last = await runs.readLastSuccess('roster');
  if (last === null || last.at < dueAt) assertOccurrenceDone(await run());
  await requests.forget(window);
};
