import type { KennitalaSequence } from '../domain/kennitala-list.ts';
import { type ErrorCode, SyncError } from '../lib/errors.ts';
import { counted } from '../lib/log.ts';
import type { GuardFigures, GuardVerdict } from './guard.ts';
import type { Forecast } from './plan.ts';

export const MIRRORS = ['roster', 'portal', 'register'] as const;
export type MirrorName = (typeof MIRRORS)[number];

/** One of something for each mirror. */
export const forEachMirror = <T>(make: (mirror: MirrorName) => T): Readonly<Record<MirrorName, T>> =>
  Object.fromEntries(MIRRORS.map((mirror) => [mirror, make(mirror)])) as Record<MirrorName, T>;

/**
 * Who set a run off: Cloud Scheduler, a caller over HTTP, an operator's own machine, a registry event, or a proof that found
 * differences. The last one's run looks at those buckets alone, so it is no success of the whole mirror.
 */
export type RunTrigger = 'schedule' | 'http' | 'local' | 'event' | 'proof';

/**
 * published  the mirror was changed and now equals the registry
 * unchanged  it was equal already
 * blocked    the guard refused the plan: nothing was changed
 * partial    the run's time was up in the middle of the writing; the next run goes on
 * failed     something went wrong; `errorCode` says what
 * dry-run    the plan was asked for, nothing else
 * skipped    another run was under way, this scheduled run had been done, the mirror is paused, or what was approved
 *            is not the plan any more
 */
export type RunOutcome = 'published' | 'unchanged' | 'blocked' | 'partial' | 'failed' | 'dry-run' | 'skipped';

/** The restricted lists are split so that no document nears Firestore's 1 MiB. */
export const CHANGES_PER_DOCUMENT = 5_000;

export interface ChangeCounts {
  readonly added: number;
  readonly removed: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly quarantined: number;
}

/** Something an operator should look at although the run went on. Counts and positions only. */
export interface RunWarning {
  readonly code: WarningCode;
  readonly message: string;
}

/** Facts about the published object, for mirrors that are one object. */
export interface ObjectFacts {
  readonly objectGeneration?: string;
  readonly previousGeneration?: string;
  readonly sha256?: string;
}

/** Differences that no event of the registry had announced: how much real time lost. */
export interface MissedEvents {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * What the guard has let through and no run has finished yet. A later plan is judged by what it adds to this, or a
 * first load that takes several runs would be refused as a flood of new members.
 */
export type Unfinished = Pick<GuardFigures, 'added' | 'removed'> &
  Required<Pick<GuardFigures, 'updated' | 'blanked'>>;

/** What came of applying a plan. */
export interface AppliedFacts extends ObjectFacts {
  readonly missedEvents?: MissedEvents;
  /** Members whom another writer changed while the run was under way: left as that writer wants them. */
  readonly overtaken?: number;
  /** Members on the mirror when that is not the plan's number. */
  readonly memberCount?: number;
  /** The time was up, or the registry moved on: this much of the plan is left. */
  readonly unfinished?: Unfinished;
  /** From where the next run goes on with this very plan. Missing: it plans anew. */
  readonly cursor?: Cursor;
  /** The registry has moved since the plan was made, so what is left needs a plan of its own. */
  readonly hasMoved?: true;
}

/** How far a plan has been applied that takes several runs: JSON of the mirror's own, kept in its state. */
export type Cursor = Readonly<Record<string, unknown>>;

export interface MirrorPlan {
  readonly planId: string;
  readonly memberCount: number;
  readonly changes: ChangeCounts;
  /** The members are the same, but the mirror does not hold them in the agreed form. */
  readonly rewrite: boolean;
  readonly figures: GuardFigures;
  readonly forecast: Forecast;
  readonly warnings: readonly RunWarning[];
  /** For the restricted part of the record. */
  readonly added: KennitalaSequence;
  readonly removed: KennitalaSequence;
  readonly facts: ObjectFacts;
  /** Null or missing where there are no events. */
  readonly missedEvents?: MissedEvents | null;
  /** For a mirror that can be left half-written: what counts as let through, should this run not finish. */
  readonly letThrough?: Unfinished;
  /** This is the rest of an earlier run's plan, from here on. */
  readonly cursor?: Cursor;
  /** Made without a look at the mirror, on a condition that its write checks. The next plan of the same source looks. */
  readonly isPresumed?: true;
}

/** One operator lets one refused plan through. */
export interface Approval {
  readonly planId: string;
  /** The operator's name, as it is to stand in the record. */
  readonly operator: string;
  readonly reason: string;
}

/** The lists beside a record: how many documents, and one keyed digest over them, which an erasure does not change. */
export interface KeptLists {
  readonly documents: number;
  readonly digest: string;
}

/** `sync_audit/{runId}` in our own terms; times are Dates, and the store makes its own types of them. */
export interface RunRecord {
  readonly runId: string;
  readonly mirror: MirrorName;
  readonly trigger: RunTrigger;
  /** 'running' until the run closes it: a record that stays open is the evidence of a crash. */
  readonly status: 'running' | 'success' | 'error';
  readonly outcome: RunOutcome | null;
  readonly source: 'django-api';
  readonly timestamp: Date;
  readonly duration_ms: number | null;
  readonly memberCount: number | null;
  readonly djangoExportedAt: Date | null;
  readonly changes: ChangeCounts | null;
  /** Null where nothing was compared, or where there are no events. */
  readonly missedEvents: MissedEvents | null;
  readonly overtaken: number | null;
  /** What a `partial` run left for the next one. */
  readonly unfinished: Unfinished | null;
  readonly findings: Readonly<Record<string, number | readonly number[]>> | null;
  readonly planId: string | null;
  /** Missing where no lists are kept beside the record. */
  readonly lists?: KeptLists;
  readonly guard: GuardVerdict | null;
  readonly objectGeneration: string | null;
  readonly previousGeneration: string | null;
  readonly sha256: string | null;
  readonly warnings: readonly RunWarning[];
  readonly error: string | null;
  readonly errorCode: ErrorCode | null;
  readonly errorStack: string | null;
  /** The proved identity of who asked for the run; null for a scheduled one. */
  readonly requestedBy: string | null;
  /** The operator's name as given with the approval. */
  readonly approvedBy: string | null;
  readonly reason: string | null;
  /** The version that a rollback brought back; missing for a run that follows the registry. */
  readonly rollbackOf?: string;
  readonly expireAt: Date;
}

/** An operator's word that a mirror is to stay as it is until somebody resumes it. */
export interface Pause {
  readonly reason: string;
  /** The proved identity of who paused it. */
  readonly by: string;
  readonly at: Date;
}

/** What a caller is answered: the record, and for a plan that waits for a decision its forecast too. */
export interface RunReport {
  readonly record: RunRecord;
  readonly forecast: Forecast | null;
}

/** What every step of a run is told. */
export interface RunContext {
  readonly runId: string;
  readonly startedAt: Date;
  readonly lastSuccess: LastSuccess | null;
  readonly unfinished: Unfinished | null;
  readonly abandonedRunId: string | null;
  /** The plan is applied at once if the guard lets it through, so it may presume what its write will show. */
  readonly mayPresume?: boolean;
  /** Aborted when the run's time is up: a step must stop then and leave nothing half done. */
  readonly signal: AbortSignal;
  /** The head of the mirror's chain of records, signed, once the plan is recorded: for a second store to remember. */
  readonly chainHead?: string | null;
  /** Missing where nothing may be gone on with: a dry run, an approval, a rollback. */
  readonly resume?: Resume;
}

/** For a mirror whose plan may take several runs. */
export interface Resume {
  /** Where an earlier run's plan is gone on with; null: a new one is made. */
  readonly cursor: Cursor | null;
  /**
   * Remembers how far the plan has been applied, for a run that follows a crash. Throws `lease_lost`, `audit_unavailable`.
   */
  readonly keep: (cursor: Cursor | null, unfinished: Unfinished) => Promise<void>;
  /** Judges what comes on top of a plan that was let through earlier. */
  readonly judge: (figures: GuardFigures) => GuardVerdict;
}

/** What the registry sent, validated. Anything doubtful has thrown before this exists. */
export interface MirrorSource {
  readonly received: number;
  readonly exportedAt: Date | null;
  readonly findings: Readonly<Record<string, number | readonly number[]>>;
  readonly warnings: readonly RunWarning[];
  /** Ends what fetch has left under way, when nobody will plan this. Never throws. */
  readonly giveUp?: () => Promise<void>;
}

/**
 * One mirror's part of the pipeline. `fetch` and `plan` only read. `apply` makes the mirror equal to the plan: a
 * mirror that is one object whole or not at all (`storage_conflict` when another writer came between), a mirror of
 * many documents one by one, so that what a crash or the time limit left is found as the next run's differences.
 */
export interface Mirror<Source extends MirrorSource, Plan extends MirrorPlan> {
  readonly name: MirrorName;
  /** For log messages: "weekly member list sync". */
  readonly title: string;
  /** Where the source comes from, for log messages. Missing: Django. */
  readonly sourceName?: string;
  /** `fetch` changes nothing anywhere, so it may be under way while the lease is being taken. */
  readonly fetchesEarly?: true;
  fetch(context: RunContext): Promise<Source>;
  plan(source: Source, context: RunContext): Promise<Plan>;
  apply(plan: Plan, source: Source, context: RunContext): Promise<AppliedFacts>;
  /** A plan without differences: notes that the mirror was checked, without a new version of it. */
  confirm(plan: Plan, source: Source, context: RunContext): Promise<AppliedFacts>;
  /** Gives back what fetch and plan hold (connections, open transactions). */
  close?(): Promise<void>;
}

/** Why a paused mirror takes no run. The operator's own words are in the state of the mirror, not in a log. */
export const pausedError = (since: Date): SyncError =>
  new SyncError(
    'paused',
    `The mirror has been paused since ${since.toISOString()}. Resume it, or approve the plan of a dry run by its id.`,
  );

/** Warnings of a run that went on. The runbook has a row for each, and the page a text. */
export const WARNING_CODES = [
  'quarantined_entries',
  'quarantined_members',
  'unidentified_entries',
  'adjusted_values',
  'repeated_members',
  'duplicate_members',
  'legal_entities',
  'impossible_dates',
  'more_than_announced',
  'published_list_missing',
  'published_list_edited',
  'abandoned_run_published',
  'portal_emptied',
  'register_emptied',
  'removals_withheld',
  'unknown_documents',
  'versions_went_back',
  'load_continued',
] as const;

export type WarningCode = (typeof WARNING_CODES)[number];

/** Valid numbers that hardly belong to a member. Nobody is left out because of one. The same for every mirror. */
export const warningsOfNumbers = (count: {
  readonly legalEntities: number;
  readonly impossibleDates: number;
}): RunWarning[] => {
  const said = (number: number, code: WarningCode, what: string): RunWarning[] =>
    number > 0
      ? [{ code, message: `${counted(number, 'member has', 'members have')} ${what}; a person should look.` }]
      : [];
  return [
    ...said(count.legalEntities, 'legal_entities', 'the number of a legal entity'),
    ...said(count.impossibleDates, 'impossible_dates', 'a number with a day that no month has'),
  ];
};

/** The last run of a mirror that ended with the mirror equal to the registry. */
export interface LastSuccess {
  readonly runId: string;
  readonly at: Date;
  readonly memberCount: number;
}

/** Whether applying the plan would write anything but its record. */
export const isDifferent = (plan: MirrorPlan): boolean =>
  plan.rewrite || plan.changes.added + plan.changes.removed + plan.changes.updated > 0;
