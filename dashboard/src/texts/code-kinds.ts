import type { KennitalaFault } from '../../../functions/src/domain/kennitala.ts';
import type { FieldPath } from '../../../functions/src/domain/member/fields.ts';
import type { ErrorCode } from '../../../functions/src/lib/errors.ts';
import type { GuardRule } from '../../../functions/src/mirror/guard.ts';
import type { WarningCode } from '../../../functions/src/mirror/mirror.ts';
import type {
  BecauseCode,
  ConflictDetail,
  DifferenceReason,
  ExplainAnswer,
  ExplainSource,
  FindingCode,
  ProofAnswer,
  Relation,
  RetryOutcome,
  StatusAnswer,
  SyncDecision,
  TimelineEntry,
  VerifyAnswer,
  WireQueueItem,
  WireRunRecord,
} from '../../../functions/src/ops/schemas.ts';

type Disputed = ConflictDetail['paths'][string];
type Detail = TimelineEntry['detail'];
type Sweep = NonNullable<StatusAnswer['twoWay']['lastSweep']>;

/** Every code that the operators' API can answer, by kind: the compiler wants a text for each, in each language. */
interface CodeKinds {
  outcome: NonNullable<Detail['outcome']>;
  trigger: WireRunRecord['trigger'];
  guard: GuardRule;
  finding: FindingCode;
  difference: DifferenceReason;
  chain: VerifyAnswer['findings'][number]['kind'];
  proof: ProofAnswer['outcome'];
  proofReason: NonNullable<ProofAnswer['because']>;
  relation: Relation;
  fault: KennitalaFault;
  queue: WireQueueItem['status'];
  fieldOutcome: WireQueueItem['settled'][string];
  retry: RetryOutcome;
  conflict: Disputed['state'];
  keep: NonNullable<Disputed['resolution']>['keep'];
  reason: Disputed['reason'];
  because: BecauseCode;
  now: ExplainAnswer['now'][keyof ExplainAnswer['now']]['state'];
  source: TimelineEntry['source'];
  what: TimelineEntry['what'];
  detail: keyof Detail;
  place: ExplainSource;
  sweep: Sweep['status'];
  decision: SyncDecision;
  origin: NonNullable<Detail['origin']>;
  action: NonNullable<Detail['action']>;
  /** The register's columns have names without a section. */
  field: FieldPath | 'name' | 'email' | 'phone';
  warning: WarningCode;
  error: ErrorCode | 'no_answer' | 'gave_up';
}

export type CodeKind = keyof CodeKinds;
export type CodeTexts = { readonly [Kind in CodeKind]: Readonly<Record<CodeKinds[Kind], string>> };
