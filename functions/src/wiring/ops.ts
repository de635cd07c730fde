import { makeMemberChanges } from '../adapters/django/member-changes.ts';
import { makeMemberReader } from '../adapters/django/read-members.ts';
import { makeFirestoreErasure } from '../adapters/firestore/erase-documents.ts';
import { makeHintStore } from '../adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makeMemberTrace, makePeopleReader } from '../adapters/firestore/ops-people.ts';
import { makeOperatorActions, makeRunHistory } from '../adapters/firestore/ops-runs.ts';
import { makeLiveCounts, makeMirrorStates } from '../adapters/firestore/ops-states.ts';
import { makeTwoWayReader } from '../adapters/firestore/ops-two-way.ts';
import { makeProofStore, makeVerifiedStore } from '../adapters/firestore/proof-store.ts';
import { makeRecordReader } from '../adapters/firestore/record-reader.ts';
import type { Database } from '../adapters/postgres/database.ts';
import { makeRegisterErasure, makeRegisterLookup } from '../adapters/postgres/erase-member.ts';
import { makeFrozenRolls } from '../adapters/storage/frozen-rolls.ts';
import { makeSoftDeletedList, makeVersionsErasure } from '../adapters/storage/list-store.ts';
import { makeApp } from '../http/app.ts';
import type { FetchApp } from '../http/front.ts';
import type { OpsDependencies } from '../ops/dependencies.ts';
import { makeOpsLogs } from '../ops/ops-logs.ts';
import { verifyNow } from '../ops/proof-routes.ts';
import { OPS_DOCUMENT, opsRoutes } from '../ops/routes.ts';
import { readStatus, reportConcerns } from '../ops/status.ts';
import { makeTwoWayActions } from '../ops/two-way-actions.ts';
import { runTwoWay, type TwoWayDependencies } from '../twoway/sweep.ts';
import { runnersOf, runProof } from './proof.ts';
import { runReconcile, syncOneMember } from './reconcile.ts';
import { registerDatabase } from './register.ts';
import { rollDependencies, wiredRoster, type wireRoster } from './roster.ts';
import { type Shared, shared, wiredOnce } from './shared.ts';
import { wiredTwoWay } from './twoway.ts';

/** Firebase Hosting hands `/api/**` on as it is; the function's own address has no prefix. */
const PREFIXES = ['', '/api'];

/** What the operators' API has from the other features. */
interface Features extends Pick<OpsDependencies, 'prove' | 'roll' | 'syncMember' | 'takeRegistrysWord'> {
  readonly roster: Pick<ReturnType<typeof wireRoster>, 'place' | 'restore'>;
  readonly twoWay: TwoWayDependencies;
  /** The register's; null in a project without one. */
  readonly database: Database | null;
  readonly runners: OpsDependencies['runners'];
}

/** The operators' API over its stores and the other features. Opens nothing. */
export const wireOps = (
  base: Shared,
  { roster: { place, restore }, twoWay: delivery, database, ...features }: Features,
): OpsDependencies => {
  const { firestore, registry, reference, repeatableStorage, storage, now } = base;
  const logs = makeOpsLogs(base.log);
  const history = makeRunHistory(firestore);
  const states = makeMirrorStates(firestore, base.chain.current);
  const actions = makeOperatorActions(firestore, base.chain.current);
  const twoWay = makeTwoWayReader(firestore);
  const reader = makeMemberReader(registry);
  const trace = makeMemberTrace(firestore, twoWay);
  const register = database && (base.registerStores?.lookup ?? makeRegisterLookup(database));
  return {
    ...features,
    rollback: { ...restore, history },
    explain: {
      registry: reader,
      members: makeMemberStore(firestore),
      roster: restore.store,
      register,
      trace,
      states,
      history,
      actions,
      reference,
      now,
    },
    erase: {
      registry: reader,
      events: makeMemberChanges(registry),
      roster: restore.store,
      register,
      trace,
      states,
      stores: [
        ...makeFirestoreErasure(firestore, base.chain),
        ...(database === null ? [] : [base.registerStores?.erasure ?? makeRegisterErasure(database)]),
        makeVersionsErasure(repeatableStorage, place),
      ],
      softDeleted: makeSoftDeletedList(repeatableStorage, place),
      actions,
      reference,
      logs,
      now,
    },
    history,
    states,
    counts: makeLiveCounts(firestore),
    people: makePeopleReader(firestore),
    versions: restore.versions,
    actions,
    hints: makeHintStore(firestore),
    proofs: makeProofStore(firestore),
    twoWay,
    twoWayActions: makeTwoWayActions(delivery),
    runTwoWay: (which, requestedBy) => runTwoWay({ trigger: 'http', which, requestedBy }, delivery),
    reference,
    verify: {
      records: makeRecordReader(firestore),
      versions: restore.versions,
      keys: base.chain,
      now,
    },
    verified: makeVerifiedStore(firestore),
    frozen: makeFrozenRolls(storage, place.bucket),
    logs,
    now,
  };
};

const wired = wiredOnce((base) => {
  const database = registerDatabase(base);
  const runners = runnersOf(base);
  return wireOps(base, {
    roster: wiredRoster(base),
    twoWay: wiredTwoWay(base),
    database,
    runners: { ...runners, register: database === null ? null : runners.register },
    prove: () => runProof({}, base),
    roll: rollDependencies(base),
    syncMember: (request) => syncOneMember(request, base),
    takeRegistrysWord: (request, whom) => runReconcile(request, whom, base),
  });
});

/** The operators' API as an app of the Fetch API, made at the first request. */
export const opsApp: (base?: Shared) => FetchApp = wiredOnce((base) => {
  const { authorize, log } = base;
  return makeApp(opsRoutes(wired(base)), { authorize, log, prefixes: PREFIXES, document: OPS_DOCUMENT });
});

/** The first look of a day walks over the record too. */
const VERIFY_BEFORE_HOUR = 6;

/**
 * The scheduled look at everything that lasts too long, and once a day the walk over the record. Which look walks is the
 * schedule's to say: what is stored could be written by whoever rewrote the record.
 */
export const runWatch = async (scheduleTime: string, base = shared()): Promise<void> => {
  const dependencies = wired(base);
  const isConfigured = (mirror: keyof OpsDependencies['runners']) => dependencies.runners[mirror] !== null;
  await reportConcerns(() => readStatus({ ...dependencies, isConfigured }), makeOpsLogs(base.log));
  if (new Date(scheduleTime).getUTCHours() < VERIFY_BEFORE_HOUR) await verifyNow(dependencies);
};
