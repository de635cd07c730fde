import type { z } from 'zod';
import type { ResolveRequest } from '../twoway/resolve-conflict.ts';
import type * as person from './schemas/person.ts';
import type * as proof from './schemas/proof.ts';
import type * as runs from './schemas/runs.ts';
import type * as status from './schemas/status.ts';
import type * as twoWay from './schemas/two-way.ts';

/**
 * Requests and answers of the operators' API, as schemas and as types, for the command line and the dashboard. Nothing
 * here or in `schemas/` loads an SDK, so that they can import it; whoever wants the types alone uses `import type`.
 */
export * from './schemas/person.ts';
export * from './schemas/proof.ts';
export * from './schemas/runs.ts';
export * from './schemas/status.ts';
export * from './schemas/two-way.ts';

export type VerifyAnswer = z.output<typeof proof.verifyAnswer>;
export type RollBody = z.input<typeof proof.rollBody>;
export type RollAnswer = z.output<typeof proof.rollAnswer>;
export type CompareBody = z.input<typeof proof.compareBody>;
export type CompareAnswer = z.output<typeof proof.compareAnswer>;
export type FreezeBody = z.input<typeof proof.freezeBody>;
export type FrozenRollAnswer = z.output<typeof proof.frozenRoll>;

export type RunsQuery = z.input<typeof runs.runsQuery>;
export type WireRunRecord = z.output<typeof runs.runRecord>;
export type RunsPage = z.output<typeof runs.runsPage>;
export type RunAnswer = z.output<typeof runs.runAnswer>;
export type RunGroups = z.output<typeof runs.runGroups>;
export type RunPeople = z.output<typeof runs.runPeople>;
export type ListedPerson = z.output<typeof runs.listedPerson>;
export type Relation = z.output<typeof runs.relation>;
export type PausesAnswer = z.output<typeof runs.pausesAnswer>;
export type RunChanges = z.output<typeof runs.runChanges>;
export type StartRunBody = z.input<typeof runs.startRunBody>;
export type RegistryWordBody = z.input<typeof runs.registryWordBody>;
export type StartedRun = z.output<typeof runs.startedRun>;
export type RollbackBody = z.input<typeof runs.rollbackBody>;
export type RosterVersions = z.output<typeof runs.rosterVersions>;
export type WireMissedEvents = z.output<typeof runs.missedEvents>;

export type MirrorStatus = z.output<typeof status.mirrorStatus>;
export type HealthReason = z.output<typeof status.healthReason>;
export type StatusFinding = z.output<typeof status.finding>;
export type ProofAnswer = z.output<typeof status.proofAnswer>;
export type FindingCode = z.output<typeof status.findingCode>;
export type DifferenceReason = z.output<typeof status.differenceReason>;
export type TwoWayReason = z.output<typeof status.twoWayReason>;
export type StatusAnswer = z.output<typeof status.statusAnswer>;
export type PauseAnswer = z.output<typeof status.pauseAnswer>;

export type ExplainBody = z.input<typeof person.explainBody>;
export type ExplainAnswer = z.output<typeof person.explainAnswer>;
export type ExplainSource = z.output<typeof person.explainSource>;
export type TimelineEntry = z.output<typeof person.timelineEntry>;
export type BecauseCode = z.output<typeof person.becauseCode>;
export type RegistryNow = z.output<typeof person.registryNow>;
export type RosterNow = z.output<typeof person.rosterNow>;
export type PortalNow = z.output<typeof person.portalNow>;
export type RegisterNow = z.output<typeof person.registerNow>;

export type EraseBody = z.input<typeof person.eraseBody>;
export type EraseAnswer = z.output<typeof person.eraseAnswer>;
export type ErasedStore = z.output<typeof person.erasedStore>;
export type SoftDeletedCopies = z.output<typeof person.softDeletedCopies>;

export type SeriesAnswer = z.output<typeof status.seriesAnswer>;
export type SeriesDay = z.output<typeof status.seriesDay>;
export type MirrorDay = z.output<typeof status.mirrorDay>;

export type QueuePage = z.output<typeof twoWay.queuePage>;
export type WireQueueItem = z.output<typeof twoWay.queueItem>;
export type QueueItemDetail = z.output<typeof twoWay.queueItemDetail>;
export type RetryOutcome = z.output<typeof twoWay.retryOutcome>;
export type RetryAnswer = z.output<typeof twoWay.retryAnswer>;
export type QueueActionAnswer = z.output<typeof twoWay.queueActionAnswer>;
export type ConflictsPage = z.output<typeof twoWay.conflictsPage>;
export type Conflict = z.output<typeof twoWay.conflict>;
export type ConflictDetail = z.output<typeof twoWay.conflictDetail>;
export type ResolveBody = Omit<ResolveRequest, 'conflict'>;
export type ResolveAnswer = z.output<typeof twoWay.resolveAnswer>;
export type TwoWayRunBody = z.input<typeof twoWay.twoWayRunBody>;
export type TwoWayRunAnswer = z.output<typeof twoWay.twoWayRunAnswer>;
export type SyncDecision = z.output<typeof twoWay.syncDecision>;
export type SyncMemberAnswer = z.output<typeof twoWay.syncMemberAnswer>;
