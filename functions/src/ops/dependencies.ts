import type { Kennitala } from '../domain/kennitala.ts';
import type { RouteInput } from '../http/route.ts';
import type { RunReport } from '../mirror/mirror.ts';
import type { RunRequest } from '../mirror/run.ts';
import type { SyncedMember, SyncMemberRequest } from '../portal/reconcile/sync-member.ts';
import type { ProofRecord, ProofStore } from '../proof/digest-ports.ts';
import type { FrozenRolls, VerifiedStore, VerifyDependencies } from '../proof/ports.ts';
import type { RollDependencies } from '../proof/roll.ts';
import type { ListVersions } from '../roster/ports.ts';
import type { DueOptions, TwoWayRecord } from '../twoway/ports.ts';
import type { EraseDependencies } from './erase-person.ts';
import type { ExplainDependencies } from './explain.ts';
import type { OpsLogs } from './ops-logs.ts';
import type {
  HintFigures,
  LiveCounts,
  MirrorStates,
  OperatorAction,
  OperatorActions,
  PeopleReader,
  RunHistory,
  TwoWayReader,
} from './ports.ts';
import type { RollbackDependencies, Runners } from './runs.ts';
import type { TwoWayActions } from './two-way-actions.ts';

/** What the routes are made of. */
export interface OpsDependencies {
  readonly runners: Runners;
  readonly rollback: RollbackDependencies;
  readonly explain: ExplainDependencies;
  readonly erase: EraseDependencies;
  readonly history: RunHistory;
  readonly states: MirrorStates;
  readonly counts: LiveCounts;
  readonly people: PeopleReader;
  readonly versions: ListVersions;
  readonly actions: OperatorActions;
  readonly hints: HintFigures;
  readonly proofs: Pick<ProofStore, 'read'>;
  /** A proof now, with what it has mended. */
  readonly prove: () => Promise<ProofRecord>;
  /** A reconcile that takes the registry's word also where the portal holds a later version: of all, or of one. */
  readonly takeRegistrysWord: (request: RunRequest, whom: 'all' | Kennitala) => Promise<RunReport>;
  readonly twoWay: TwoWayReader;
  readonly twoWayActions: TwoWayActions;
  /** One member in line with the registry; its answer holds personal values. */
  readonly syncMember: (request: Omit<SyncMemberRequest, 'signal'>) => Promise<SyncedMember>;
  /** One sweep of the way back, and its record. */
  readonly runTwoWay: (which: DueOptions['which'], requestedBy: string) => Promise<TwoWayRecord>;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly verify: VerifyDependencies;
  readonly verified: VerifiedStore;
  readonly roll: RollDependencies;
  readonly frozen: FrozenRolls;
  readonly logs: Pick<OpsLogs, 'concern'>;
  readonly now: () => Date;
}

/** Who did it, when, in which request: the same for every action. */
export const byWhom = (
  { caller, requestId }: Pick<RouteInput<unknown, unknown, unknown>, 'caller' | 'requestId'>,
  { now }: Pick<OpsDependencies, 'now'>,
): Pick<OperatorAction, 'by' | 'byKind' | 'at' | 'requestId'> => ({
  by: caller.id,
  byKind: caller.kind,
  at: now(),
  requestId,
});
