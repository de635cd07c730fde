import { makeMemberChanges } from '../../src/adapters/django/member-changes.ts';
import {
  makeListExport,
  makeMemberPages,
  makeMemberReader,
  makeRegistryDigests,
} from '../../src/adapters/django/read-members.ts';
import { makeFirestoreErasure } from '../../src/adapters/firestore/erase-documents.ts';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makeMemberTrace } from '../../src/adapters/firestore/ops-people.ts';
import { makeOperatorActions, makeRunHistory } from '../../src/adapters/firestore/ops-runs.ts';
import { makeMirrorStates } from '../../src/adapters/firestore/ops-states.ts';
import { makeTwoWayReader } from '../../src/adapters/firestore/ops-two-way.ts';
import { makePortalIndex, makePortalWriter } from '../../src/adapters/firestore/portal-documents.ts';
import { makePortalDigests, makeProofStore } from '../../src/adapters/firestore/proof-store.ts';
import { makeQueueStore } from '../../src/adapters/firestore/queue-store.ts';
import { makeRecordReader } from '../../src/adapters/firestore/record-reader.ts';
import { makeRosterRefresh } from '../../src/adapters/firestore/roster-refresh.ts';
import { makeRunStore } from '../../src/adapters/firestore/run-store.ts';
import { type MemberEvent, toMemberWrite } from '../../src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { makeMemberReference } from '../../src/domain/member/digest.ts';
import type { MemberChange } from '../../src/domain/member/member-change.ts';
import type { GuardLimits } from '../../src/mirror/guard.ts';
import type { MirrorName, RunReport } from '../../src/mirror/mirror.ts';
import { type RunDependencies, type RunRequest, runMirror } from '../../src/mirror/run.ts';
import { assertOccurrenceDone } from '../../src/mirror/run-answer.ts';
import type { ScheduledOccurrence } from '../../src/mirror/run-store.ts';
import { erasePerson } from '../../src/ops/erase-person.ts';
import { confirmApproval } from '../../src/ops/runs.ts';
import { makeTwoWayActions } from '../../src/ops/two-way-actions.ts';
import { followHint } from '../../src/portal/follow-hint.ts';
import { answerWebhook, type WebhookCall } from '../../src/portal/receive-webhook.ts';
import { makePortalMirror, type PortalMirrorDependencies } from '../../src/portal/reconcile/portal-mirror.ts';
import type { ChainKey, ChainKeys } from '../../src/proof/chain-key.ts';
import { prove } from '../../src/proof/prove.ts';
import { verifyRecords } from '../../src/proof/verify.ts';
import { applyEvent, runRegisterMirror } from '../../src/register/register.ts';
import { makeRegisterLogs } from '../../src/register/register-logs.ts';
import type { MemberPages } from '../../src/registry/ports.ts';
import { checkPublishedRoster, makeSelfCheckLogs, runRollback } from '../../src/roster/rollback.ts';
import { makeRoster, publishWindow } from '../../src/roster/roster.ts';
import type { DueOptions } from '../../src/twoway/ports.ts';
import { runTwoWay } from '../../src/twoway/sweep.ts';
import { trackMemberWrite } from '../../src/twoway/track.ts';
import { wireWebhook } from '../../src/wiring/portal.ts';
import { RECONCILE_LEASE_MS, RECONCILE_RUN_LIMIT_MS } from '../../src/wiring/reconcile.ts';
import { REGISTER_LEASE_MS, REGISTER_RUN_LIMIT_MS } from '../../src/wiring/register.ts';
import { ROSTER_LEASE_MS, ROSTER_RUN_LIMIT_MS } from '../../src/wiring/roster.ts';
import { runDependencies, type Shared } from '../../src/wiring/shared.ts';
import { wireTwoWay } from '../../src/wiring/twoway.ts';
import { SECRET } from '../support/registry-events.ts';
import { type Clock, hash } from './clock.ts';
import type { Instance } from './instances.ts';
import type { MemoryFirestore } from './memory-firestore.ts';
import type { MemoryList } from './memory-list.ts';
import type { MemoryRegister } from './memory-register.ts';
import { BASE_URL, type PATHS, type Registry } from './registry.ts';

type Path = (typeof PATHS)[number];
/** Two of them, of whom the first makes each plan. */
export type Operator = 'operator' | 'another';

export interface Stores {
  readonly registry: Registry;
  readonly firestore: MemoryFirestore;
  readonly list: MemoryList;
  readonly register: MemoryRegister;
  /** Whether who had a plan made may not approve it: `APPROVAL_NEEDS_SECOND_PERSON`. */
  readonly needsSecondPerson: boolean;
}

export const LEGACY_KEY = 'key-of-a-registry-that-cannot-sign';
export const referenceOf = (kennitala: Kennitala): string =>
  makeMemberReference('key of the world', kennitala);

const seal = (text: string): string => hash(text).toString(36);
const key: ChainKey = {
  id: 'key-of-the-world',
  pem: '',
  sign: seal,
  verifies: (text, signature) => seal(text) === signature,
  digest: (purpose, text) => seal(`${purpose}\n${text}`),
};
/** Seals in the place of signatures: half of a history's time would go into Ed25519, which has tests of its own. */
const chain: ChainKeys = { current: async () => key, all: async () => [key] };

/** Small enough that a handful of people trip it. */
export const LIMITS: GuardLimits = {
  removedPercent: 25,
  removedFloor: 1,
  removedMax: 500,
  addedPercent: 25,
  addedFloor: 2,
  changedPercent: 100,
  changedFloor: 50,
  blankedPercent: 100,
  blankedFloor: 50,
  quarantinedPercent: 1,
  quarantinedFloor: 5,
};

const [TRACK_LIMIT_MS, LOOK_LIMIT_MS, ERASE_LIMIT_MS] = [100_000, 300_000, 600_000];
const deadlineMs = 90_000;
const log = (): void => undefined;

/** What the features of one instance reach the stores through: the deployed adapters, over the world's stores. */
export const makePorts = (
  { registry, firestore, list, register, needsSecondPerson }: Stores,
  instance: Instance,
  clock: Clock,
) => {
  const db = firestore.clientOf(
    instance.call,
    (ms) => new Promise<void>((resolve) => void clock.after(ms, resolve)),
    Math.random,
  );
  const client = async () => db;
  const http = registry.httpOf(instance.call);
  const registerStores = register.storesOf(instance.call, () => instance.isAlive);
  const listStores = list.storesOf(instance.call);
  const reader = makeTwoWayReader(client);
  return {
    client,
    http,
    members: makeMemberStore(client),
    hints: makeHintStore(client),
    runs: makeRunStore(client, chain.current),
    index: makePortalIndex(client),
    writer: makePortalWriter(client),
    rosterRefresh: makeRosterRefresh(client),
    queue: makeQueueStore(client),
    states: makeMirrorStates(client, chain.current),
    history: makeRunHistory(client),
    actions: makeOperatorActions(client, chain.current),
    trace: makeMemberTrace(client, reader),
    proofs: makeProofStore(client),
    portalDigests: makePortalDigests(client),
    records: makeRecordReader(client),
    list: listStores,
    register: registerStores,
    erasures: () => [...makeFirestoreErasure(client, chain), registerStores.erasure, listStores.erasure],
    limits: LIMITS,
    needsSecondPerson,
    toMemberWrite,
  };
};

export type Ports = ReturnType<typeof makePorts>;

/** The functions of one instance, wired as `src/wiring` does it. */
export const wireFunctions = (ports: Ports, instance: Instance, clock: Clock) => {
  const { http, members, hints, rosterRefresh, list, states } = ports;
  const now = (): Date => new Date(clock.time + instance.skewMs);
  const reference = async (kennitala: Kennitala): Promise<string> => referenceOf(kennitala);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const pages = makeMemberPages(http, { baseUrl: BASE_URL, deadlineMs });
  const reader = makeMemberReader(http);
  const changes = makeMemberChanges(http);
  let runs = 0;
  const makeRunId = (startedAt: Date): string => {
    runs += 1;
    return `${startedAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${instance.id}-${runs}`;
  };
  /** What the deployed wiring makes the features of. */
  const base = {
    config: {
      registry: { baseUrl: BASE_URL, fetchTimeoutMs: deadlineMs },
      webhook: { signingSecret: 'signing', legacyKeySecret: 'legacy', allowLegacy: true },
      register: { followsWebhook: false, target: null },
      guard: ports.limits,
      approvals: { needsSecondPerson: ports.needsSecondPerson },
    },
    secrets: {
      readAll: async (name: string) => [name === 'legacy' ? LEGACY_KEY : SECRET],
      drop: () => undefined,
    },
    firestore: ports.client,
    runs: ports.runs,
    registry: http,
    chain,
    reference,
    log,
    now,
    makeRunId,
  } as unknown as Shared;
  const limitsOf = (runLimitMs: number, leaseMs: number): RunDependencies =>
    runDependencies(base, { runLimitMs, leaseMs });

  const rosterRun = limitsOf(ROSTER_RUN_LIMIT_MS, ROSTER_LEASE_MS);
  const restore = { store: list.store, versions: list.versions, run: rosterRun };
  const runRoster = async (request: RunRequest): Promise<RunReport> => {
    const roster = makeRoster(makeListExport(http, { deadlineMs }), list.store);
    const report = await runMirror(roster, request, rosterRun);
    await checkPublishedRoster(report, { ...restore, mode: 'rollback', logs: makeSelfCheckLogs(log) });
    return report;
  };

  const runPortal = (
    request: RunRequest,
    more: Partial<PortalMirrorDependencies> = {},
  ): Promise<RunReport> => {
    const { index, writer } = ports;
    const mirror = { pages, registry: reader, index, writer, rosterRefresh, hints, reference, now, ...more };
    return runMirror(makePortalMirror(mirror), request, limitsOf(RECONCILE_RUN_LIMIT_MS, RECONCILE_LEASE_MS));
  };

  const registerOptions = {
    pages,
    registry: reader,
    store: ports.register.store,
    referTo: referenceOf,
    subscribers: [],
    apiUrl: BASE_URL,
    abandonedAfterMs: REGISTER_LEASE_MS,
  };
  const runOfRegister = (request: RunRequest, more = {}): Promise<RunReport> =>
    runRegisterMirror(
      request,
      { ...registerOptions, ...more },
      limitsOf(REGISTER_RUN_LIMIT_MS, REGISTER_LEASE_MS),
    );
  const onePage = (found: readonly unknown[], others: MemberPages | null): MemberPages => ({
    async *pages(options) {
      if (others !== null && options.modifiedSince !== undefined) yield* others.pages(options);
      else yield { members: found, count: found.length };
    },
  });
  const runners = { roster: runRoster, portal: runPortal, register: runOfRegister };

  const twoWay = { ...wireTwoWay(base), store: ports.queue, members };
  const webhook = wireWebhook(base);
  const actions = makeTwoWayActions(twoWay);
  const asked = (
    action: 'pause' | 'resume' | 'retry_change' | 'fail_change' | 'resolve_conflict',
    more: object,
  ) => ({
    action,
    by: 'operator',
    byKind: 'person' as const,
    at: now(),
    requestId: makeRunId(now()),
    ...more,
  });

  return {
    instance: instance.id,
    webhook: async (call: WebhookCall): Promise<number> => {
      const rows = { rows: ports.register.rows, referTo: referenceOf, logs: makeRegisterLogs(log), now };
      const register = async (change: MemberChange) => void (await applyEvent(change, rows));
      const answer = await answerWebhook(call, { ...webhook, members, register });
      return answer.status;
    },
    follow: (kennitala: Kennitala, token: string) =>
      followHint(kennitala, token, {
        members,
        registry: reader,
        hints,
        rosterRefresh,
        reference,
        now,
        sleep,
        logs: { followed: log },
      }),
    refresh: (window: string) =>
      publishWindow(window, {
        requests: rosterRefresh,
        runs: ports.runs,
        now,
        run: () => runRoster({ trigger: 'event' }),
      }),
    track: async (event: MemberEvent) => {
      const write = ports.toMemberWrite(event);
      if (write === null || write.isServers) return;
      await trackMemberWrite(write, AbortSignal.timeout(TRACK_LIMIT_MS), twoWay);
    },
    scheduled: async (mirror: MirrorName, occurrence: ScheduledOccurrence) =>
      assertOccurrenceDone(await runners[mirror]({ trigger: 'schedule', occurrence })),
    sweep: async (which: DueOptions['which'], trigger: 'schedule' | 'http') => {
      const record = await runTwoWay({ trigger, which, requestedBy: null }, twoWay);
      if (record.status === 'error') throw new Error(`The sweep failed: ${record.errorCode}`);
    },
    prove: () =>
      prove(
        { signal: AbortSignal.timeout(LOOK_LIMIT_MS), mends: true },
        {
          registry: makeRegistryDigests(http, { baseUrl: BASE_URL, deadlineMs }),
          events: changes,
          portal: ports.portalDigests,
          roster: list.store,
          register: ports.register.digests,
          proofs: ports.proofs,
          healing: {
            part: (mirror, { part, documents, activeOutside, buckets }) =>
              mirror === 'portal'
                ? runPortal(
                    { trigger: 'proof' },
                    { pages: onePage(part.members, pages), scope: { documents, activeOutside } },
                  )
                : runOfRegister({ trigger: 'proof' }, { pages: onePage(part.members, null), buckets }),
            whole: (mirror) => runners[mirror]({ trigger: 'event' }),
          },
          standstill: async () => {
            const found = await states.read();
            const judge = ({ pause, lease, lastRun }: (typeof found)['roster']) => {
              if (pause !== null) return 'paused';
              if (lease !== null && lease.expiresAt > now()) return 'run_under_way';
              return lastRun?.outcome === 'blocked' ? 'blocked' : null;
            };
            return {
              roster: judge(found.roster),
              portal: judge(found.portal),
              register: judge(found.register),
            };
          },
          log,
          now,
        },
      ),
    /** A run that an operator asks for; `approvedBy`: of the plan that a dry run has shown the operator a moment ago. */
    run: async (
      mirror: MirrorName,
      { approvedBy = null }: { readonly approvedBy?: Operator | null } = {},
    ): Promise<RunReport> => {
      if (approvedBy === null) return runners[mirror]({ trigger: 'http', requestedBy: 'operator' });
      const dry = await runners[mirror]({ trigger: 'http', requestedBy: 'operator', dryRun: true });
      const { planId, changes: planned } = dry.record;
      if (planId === null) return dry;
      const wanted = { planId, operator: approvedBy, reason: 'a test', removed: planned?.removed };
      const approve = await confirmApproval(wanted, ports.history);
      return runners[mirror]({ trigger: 'http', requestedBy: approvedBy, approve });
    },
    rollback: async (): Promise<RunReport | null> => {
      const version = (await list.versions.list())[1];
      if (version === undefined) return null;
      const dry = await runRollback(
        version.generation,
        { by: 'operator', dryRun: true, reason: 'a test' },
        restore,
      );
      const { planId } = dry.record;
      if (planId === null) return dry;
      const approve = { planId, operator: 'another', reason: 'a test' };
      return runRollback(version.generation, { by: 'another', approve, reason: 'a test' }, restore);
    },
    pause: (mirror: MirrorName) =>
      states.pause(mirror, { reason: 'a test', by: 'operator', at: now() }, asked('pause', { mirror })),
    resume: (mirror: MirrorName) => states.resume(mirror, asked('resume', { mirror })),
    erase: (kennitala: Kennitala) =>
      erasePerson(
        {
          kennitala,
          dryRun: false,
          by: { by: 'operator', byKind: 'person', requestId: makeRunId(now()) },
          registrySignal: AbortSignal.timeout(deadlineMs),
          signal: AbortSignal.timeout(ERASE_LIMIT_MS),
        },
        {
          registry: reader,
          events: changes,
          roster: list.store,
          register: ports.register.lookup,
          trace: ports.trace,
          states,
          stores: ports.erasures(),
          softDeleted: list.softDeleted,
          actions: ports.actions,
          reference,
          logs: { erased: log, eraseFailed: log },
          now,
        },
      ),
    retryChange: async (kennitala: Kennitala, id: string) => {
      await ports.actions.record(asked('retry_change', { changeId: id }));
      await actions.retry(kennitala, id);
    },
    failChange: async (kennitala: Kennitala, id: string) => {
      await ports.actions.record(asked('fail_change', { changeId: id }));
      await actions.fail(kennitala, id);
    },
    resolve: async (conflict: string, path: Path, keep: 'portal' | 'registry') => {
      await ports.actions.record(asked('resolve_conflict', { changeId: conflict }));
      await actions.resolve({ conflict, path, keep }, { kind: 'person', id: 'operator' });
    },
    verify: () =>
      verifyRecords(
        { records: ports.records, versions: list.versions, keys: chain, now },
        AbortSignal.timeout(LOOK_LIMIT_MS),
      ),
  };
};

export type Functions = ReturnType<typeof wireFunctions>;
