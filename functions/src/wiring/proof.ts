import { makeMemberChanges } from '../adapters/django/member-changes.ts';
import { makeRegistryDigests } from '../adapters/django/read-members.ts';
import { makeMirrorStates } from '../adapters/firestore/ops-states.ts';
import { makePortalDigests, makeProofStore } from '../adapters/firestore/proof-store.ts';
import { makeRegisterDigests } from '../adapters/postgres/register-reader.ts';
import { forEachMirror, type MirrorName, type RunReport } from '../mirror/mirror.ts';
import type { RunRequest } from '../mirror/run.ts';
import type { MirrorState } from '../ops/ports.ts';
import type { ProofRecord } from '../proof/digest-ports.ts';
import { type ProveDependencies, prove, type StandstillReason } from '../proof/prove.ts';
import { reconcilePart, runReconcile } from './reconcile.ts';
import { registerDatabase, runRegister, runRegisterPart } from './register.ts';
import { runRoster, wiredRoster } from './roster.ts';
import { type Shared, shared, wiredOnce } from './shared.ts';

/** Less than `proveAfterRun`'s 360 s, and than the 1,800 s of `proveMembers`, in which a whole reading of a mirror fits too. */
const LOOK_LIMIT_MS = 300_000;

const wireProof = (base: Shared): ProveDependencies => {
  const { config, firestore, log, now, registry } = base;
  const states = makeMirrorStates(firestore, base.chain.current);
  const whole = runnersOf(base);
  const database = registerDatabase(base);
  return {
    registry: makeRegistryDigests(registry, {
      baseUrl: config.registry.baseUrl,
      deadlineMs: config.registry.fetchTimeoutMs,
    }),
    events: makeMemberChanges(registry),
    portal: makePortalDigests(firestore),
    roster: wiredRoster(base).restore.store,
    register: database && (base.registerStores?.digests ?? makeRegisterDigests(database)),
    proofs: makeProofStore(firestore),
    healing: {
      part: (mirror, found) =>
        mirror === 'portal'
          ? reconcilePart(found, base)
          : runRegisterPart(found.part.members, found.buckets, base),
      whole: (mirror) => whole[mirror]({ trigger: 'event' }),
    },
    standstill: async () => {
      const found = await states.read();
      const at = now();
      return forEachMirror((mirror) => judgeStandstill(found[mirror], at));
    },
    log,
    now,
  };
};

/** A run of each mirror, whoever asks for it. */
export const runnersOf = (
  base: Shared,
): Readonly<Record<MirrorName, (request: RunRequest) => Promise<RunReport>>> => ({
  roster: (request) => runRoster(request, base),
  portal: (request) => runReconcile(request, null, base),
  register: (request) => runRegister(request, base),
});

const judgeStandstill = ({ pause, lease, lastRun }: MirrorState, at: Date): StandstillReason | null => {
  if (pause !== null) return 'paused';
  if (lease !== null && lease.expiresAt > at) return 'run_under_way';
  return lastRun?.outcome === 'blocked' ? 'blocked' : null;
};

const wired = wiredOnce(wireProof);

/** One proof, whoever asked for it; one that `mends` has what differs mended too. Throws `store_unavailable`, `config_invalid`. */
export const runProof = ({ mends = true } = {}, base?: Shared): Promise<ProofRecord> =>
  prove({ signal: AbortSignal.timeout(LOOK_LIMIT_MS), mends }, wired(base));

/** By then the schedule has looked. */
const OLD_NEWS_MS = 600_000;

/** Of a run's record. */
export interface RecordUpdate {
  readonly before: Readonly<Record<string, unknown>> | undefined;
  readonly after: Readonly<Record<string, unknown>> | undefined;
  /** When it was written. */
  readonly time: string;
}

/**
 * A look once a run has closed its record, told by an event of `time`. Throws when the event should be delivered again: not for
 * ever, since a proof that is made every ten minutes says the same.
 */
export const lookAfterRun = async ({ before, after, time }: RecordUpdate, base = shared()): Promise<void> => {
  if (before?.['status'] !== 'running' || after?.['status'] === 'running') return;
  // That proof looks again by itself.
  if (after?.['trigger'] === 'proof') return;
  if (base.now().getTime() - Date.parse(time) < OLD_NEWS_MS) await runProof({ mends: false }, base);
};
