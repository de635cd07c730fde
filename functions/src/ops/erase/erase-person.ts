import type { Kennitala } from '../../domain/kennitala.ts';
import { asSyncError } from '../../lib/errors.ts';
import type { OpsLogs } from '../ops-logs.ts';
import type { OperatorAction, OperatorActions } from '../ports.ts';
import type { EraseAnswer, SoftDeletedCopies } from '../schemas.ts';
import { eraseStores } from './erase-stores.ts';
import { assertMayBeErased, type MayBeErasedDependencies } from './may-be-erased.ts';
import type { ErasureStore, SoftDeletedList } from './ports.ts';

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
