import type { LastSuccess } from './run-store.ts';
import type { AppliedFacts, MirrorName, MirrorPlan, RunWarning, Unfinished } from './types.ts';

/** What every step of a run is told. */
export interface RunContext {
  readonly runId: string;
  readonly startedAt: Date;
  readonly lastSuccess: LastSuccess | null;
  readonly unfinished: Unfinished | null;
  readonly abandonedRunId: string | null;
  /** Aborted when the run's time is up: a step must stop then and leave nothing half done. */
  readonly signal: AbortSignal;
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
