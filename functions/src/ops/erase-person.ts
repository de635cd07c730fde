import { holdsNumber, type Kennitala, tryKennitala } from '../domain/kennitala.ts';
import { asSyncError, SyncError } from '../lib/errors.ts';
import { MIRRORS, type MirrorName } from '../mirror/mirror.ts';
import type { MemberReader, RegistryChanges } from '../registry/ports.ts';
import type { ListStore } from '../roster/ports.ts';
import type { OpsLogs } from './ops-logs.ts';
import {
  type Counts,
  type ErasureStore,
  type MemberTrace,
  type MirrorStates,
  type OperatorAction,
  type OperatorActions,
  type Person,
  type RegisterLookup,
  type SoftDeletedList,
  stillPublished,
} from './ports.ts';
import type { EraseAnswer, ErasedStore, SoftDeletedCopies } from './schemas.ts';

export interface EraseDependencies extends MayBeErasedDependencies {
  readonly stores: readonly ErasureStore[];
  readonly softDeleted: SoftDeletedList;
  readonly actions: OperatorActions;
  readonly reference: (kennitala: Kennitala) => Promise<string>;
  readonly logs: Pick<OpsLogs, 'erased' | 'eraseFailed'>;
}

export interface EraseRequest {
  readonly kennitala: Kennitala;
  readonly reason?: string | undefined;
  /** Looks everywhere and changes nothing. */
  readonly dryRun: boolean;
  readonly by: Pick<OperatorAction, 'by' | 'byKind' | 'requestId'>;
  /** For the questions to the registry. */
  readonly registrySignal: AbortSignal;
  /** For everything. */
  readonly signal: AbortSignal;
}

/**
 * Erases one person from everything that this project keeps, then reads all of it again: the answer's `left` is what was
 * read, and `absent` is true only when every place was read and has nothing. Safe to repeat, and repeating goes on where
 * a store failed. Who asked and why is recorded before anything is read.
 *
 * Throws `audit_unavailable` (an erasure that cannot be recorded is not done), `secret_unavailable`, the `registry_*`
 * codes, `still_a_member`, `events_waiting`, `still_published`, `lease_held`: nothing was erased then. A store's own failure is in the
 * answer.
 */
export const erasePerson = async (
  request: EraseRequest,
  dependencies: EraseDependencies,
): Promise<EraseAnswer> => {
  const { kennitala, reason, dryRun, by, registrySignal, signal } = request;
  const reference = await dependencies.reference(kennitala);
  const at = dependencies.now();
  await dependencies.actions.record({
    action: dryRun ? 'erase_check' : 'erase',
    ...by,
    at,
    member: reference,
    ...(reason !== undefined && { reason }),
  });
  await assertMayBeErased(kennitala, { signal: registrySignal, dryRun }, dependencies);

  const stores = await eraseStores(
    dependencies.stores,
    { kennitala, reference },
    { dryRun, signal, onFailure: dependencies.logs.eraseFailed },
  );
  // Afterwards, since deleting a version is what makes a soft-deleted copy.
  const softDeleted = await readSoftDeleted(dependencies.softDeleted);
  const absent = stores.every(({ left }) => left === 0) && softDeleted.state === 'known';
  dependencies.logs.erased(reference, { dryRun, absent, stores });
  return {
    member: reference,
    at: at.toISOString(),
    dryRun,
    absent,
    stores,
    hasRegister: dependencies.register !== null,
    softDeleted,
    stays: [...STAYS],
    outOfReach: [...OUT_OF_REACH],
  };
};

const readSoftDeleted = async (list: SoftDeletedList): Promise<SoftDeletedCopies> => {
  try {
    return { state: 'known', ...(await list.find()) };
  } catch (cause) {
    return { state: 'unknown', code: asSyncError(cause).code };
  }
};

/** What an erasure leaves on purpose. The opaque reference is a keyed hash: it names nobody without the number. */
export const STAYS = [
  'Rolls that are frozen for an election (gs://BUCKET/rolls/): every member of that moment, until the day that was given with the freeze (ops roll --frozen shows which).',
  'operator_actions: who asked for this, when and why, by the opaque reference; 12 months.',
  'sync_audit: counts of runs, and warnings that may have the opaque reference; 12 months.',
  'webhook_receipts: that an event came, without the reference, so that its repetition is not taken for a new one; 7 days.',
  'Cloud Logging: entries with the opaque reference; as long as its bucket keeps them, usually 30 days.',
  'What operators typed of somebody by name: only numbers can be found in prose. Look at reasons in operator_actions and sync_audit.',
] as const;

/** Where copies may be that no call from here reaches. */
export const OUT_OF_REACH = [
  'Firestore: point-in-time recovery (up to 7 days) and backups, until they expire by their own schedule.',
  'Cloud SQL: backups and point-in-time recovery, until they expire by their own schedule.',
  'The registry: its change queue (manage.py erase_member), its own data, logs and backups.',
  'Firebase Authentication: a user account of the person, if there is one.',
  'Services and people who read the register or downloaded the list: what they keep themselves.',
] as const;

interface MayBeErasedDependencies {
  readonly registry: MemberReader;
  readonly events: Pick<RegistryChanges, 'outbox'>;
  readonly roster: Pick<ListStore, 'read'>;
  readonly trace: Pick<MemberTrace, 'portal'>;
  /** Null: the register is not configured here. */
  readonly register: RegisterLookup | null;
  readonly states: Pick<MirrorStates, 'read'>;
  readonly now: () => Date;
}

/**
 * Passes only for a person who has left everywhere: anybody else would come back, or those who are told of departures
 * would not hear of it. - `still_a_member`: the registry has the person, readable or not. Only its own 404 says that it
 * has not; every other answer is not known, and throws its own code. - `events_waiting`: it has events about the person
 * that nobody acknowledged. Delivered later, they would write the person's document again. - `still_published`: a
 * mirror has the person as a member. A run under way would name them in its lists again, and the register's subscribers
 * would not be told. A mirror that cannot be read now does not refuse: its own part of the erasure says so, and looks
 * again. - `lease_held`, unless it is only a look: a run under way may have read the registry before the person left,
 * and would write them again. One that begins later reads what was read here.
 */
const assertMayBeErased = async (
  kennitala: Kennitala,
  { signal, dryRun }: { readonly signal: AbortSignal; readonly dryRun: boolean },
  dependencies: MayBeErasedDependencies,
): Promise<void> => {
  if ((await dependencies.registry.readMember(kennitala, { signal })) !== null) {
    throw new SyncError(
      'still_a_member',
      'The registry has this person as a member. Delete them there first. Nothing was erased.',
    );
  }
  const waiting = (await dependencies.events.outbox({ signal })).filter(
    ({ ssn }) => tryKennitala(ssn) === kennitala,
  );
  if (waiting.length > 0) {
    throw new SyncError(
      'events_waiting',
      `The registry has ${waiting.length} undelivered events about this person, which would bring them back. ` +
        'Let it deliver them, or wait for the nightly sweep. Nothing was erased.',
      { details: { events: waiting.length } },
    );
  }
  const held = await mirrorsHolding(kennitala, dependencies);
  if (held.length > 0) throw stillPublished(held.join(', '));
  if (!dryRun) await assertNothingRuns(dependencies);
};

const assertNothingRuns = async ({ states, now }: MayBeErasedDependencies): Promise<void> => {
  const found = await states.read();
  const running = MIRRORS.filter((mirror) => (found[mirror].lease?.expiresAt ?? new Date(0)) > now());
  if (running.length === 0) return;
  throw new SyncError(
    'lease_held',
    `A run is under way (${running.join(', ')}) that may have read the registry before this person left. ` +
      'Try again when it has ended. Nothing was erased.',
  );
};

const mirrorsHolding = async (
  kennitala: Kennitala,
  { roster, trace, register }: MayBeErasedDependencies,
): Promise<string[]> => {
  const asked: Readonly<Record<MirrorName, Promise<boolean> | undefined>> = {
    roster: roster.read().then((list) => list !== null && holdsNumber(list.bytes, kennitala)),
    portal: trace.portal(kennitala).then(({ state }) => state === 'active'),
    register: register?.find(kennitala).then(({ state }) => state === 'active'),
  };
  const found = await Promise.allSettled(MIRRORS.map((mirror) => asked[mirror]));
  return MIRRORS.filter((_, n) => {
    const answer = found[n];
    return answer?.status === 'fulfilled' && answer.value === true;
  });
};

interface ErasureRun {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onFailure: (place: ErasedStore['store'], failure: SyncError) => void;
}

/**
 * Looks, erases and looks again, each store for itself: one that fails does not keep the others from it. What could not
 * be read is null, never 0. A dry run only looks, and what it finds is what is left. Those that writers of others read come
 * first: whoever has read the person before writes before the others are looked through, or is refused.
 */
const eraseStores = async (
  stores: readonly ErasureStore[],
  person: Person,
  run: ErasureRun,
): Promise<ErasedStore[]> => {
  const rows = new Map<ErasureStore, ErasedStore[]>();
  const erase = async (store: ErasureStore): Promise<void> => {
    rows.set(store, await eraseStore(store, person, run));
  };
  for (const store of stores.filter(({ isFirst }) => isFirst)) await erase(store);
  await Promise.all(stores.filter(({ isFirst }) => !isFirst).map(erase));
  return stores.flatMap((store) => rows.get(store) ?? []);
};

const eraseStore = async (
  store: ErasureStore,
  person: Person,
  { dryRun, signal, onFailure }: ErasureRun,
): Promise<ErasedStore[]> => {
  let code: string | null = null;
  const attempt = async (work: () => Promise<Counts>): Promise<Counts | null> => {
    try {
      return await work();
    } catch (cause) {
      const failure = asSyncError(cause);
      code = failure.code;
      onFailure(store.places[0], failure);
      return null;
    }
  };
  const found = await attempt(() => store.find(person, signal));
  const erased = dryRun ? {} : await attempt(() => store.erase(person, signal));
  // What proves it is a new reading and not what was erased, also where erasing failed: only its answer may have been
  // lost.
  const left = dryRun ? found : await attempt(() => store.find(person, signal));
  return store.places.map((place) => ({
    store: place,
    found: countIn(found, place),
    erased: dryRun ? 0 : countIn(erased, place),
    left: countIn(left, place),
    code,
  }));
};

/** A place that an answer does not name is not known either. */
const countIn = (counts: Counts | null, place: ErasedStore['store']): number | null =>
  counts?.[place] ?? null;
