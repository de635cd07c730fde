import { Timestamp } from 'firebase-admin/firestore';
import type { RegisterStores } from '../../src/wiring/shared.ts';
import type { Lens, Write } from '../support/memory/firestore.ts';
import type { Fault } from './system.ts';

/** A fault in one of the rules that the promises rest on, put between our code and the stores. */
export interface Mutant extends Fault {
  readonly name: string;
  /** A history that shows it. */
  readonly seed: number;
}

type Data = Write['data'];

const isMember = (path: string): boolean => path.startsWith('members/');
const statusIn = ({ membership }: Data): unknown => (membership as Data | undefined)?.['status'];
const isTombstone = (data: Data): boolean => statusIn(data) === 'inactive';
const withMetadata = (data: Data, more: Data): Data =>
  data['metadata'] === undefined ? data : { ...data, metadata: { ...(data['metadata'] as Data), ...more } };
const WITHOUT_VERSION = { source_version: null };

/** Of a member's document something else is read. */
const shown = (distort: (data: Data) => Data): Lens => ({
  read: (path, data) => (isMember(path) ? distort(data) : data),
});
/** Some writes of a collection do not take place. */
const undone = (collection: string, isUndone: (data: Data, before: Data) => boolean): Fault => ({
  lens: {
    write: (write, before) =>
      write.path.startsWith(`${collection}/`) && isUndone(write.data, before ?? {}) ? null : write,
  },
});

/** Of the register's stores some are others. */
const withStores = (others: (stores: RegisterStores) => Partial<RegisterStores>): Fault => ({
  distort: ({ registerStores: stores, ...base }) => ({
    ...base,
    ...(stores && { registerStores: { ...stores, ...others(stores) } }),
  }),
});

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'versions are ignored',
    seed: 1,
    lens: shown((data) => withMetadata(data, WITHOUT_VERSION)),
  },
  {
    name: 'the version of a tombstone is ignored',
    seed: 19,
    lens: shown((data) => (isTombstone(data) ? withMetadata(data, WITHOUT_VERSION) : data)),
  },
  {
    name: 'nobody is revived',
    seed: 20,
    ...undone('members', (data, before) => isTombstone(before) && statusIn(data) === 'active'),
  },
  {
    name: 'the version is not stored',
    seed: 1,
    lens: {
      write: (write) =>
        isMember(write.path) ? { ...write, data: withMetadata(write.data, WITHOUT_VERSION) } : write,
    },
  },
  {
    name: 'the registry is believed to delete nobody',
    seed: 1,
    ...undone('members', isTombstone),
  },
  {
    name: 'the guard lets everything through',
    seed: 3,
    distort: (base) => {
      const guard = { ...base.config.guard, removedFloor: 1_000_000, addedFloor: 1_000_000 };
      return { ...base, config: { ...base.config, guard } };
    },
  },
  {
    name: 'one person alone approves where two decide',
    seed: 226,
    distort: (base) => ({
      ...base,
      config: { ...base.config, approvals: { needsSecondPerson: false } },
    }),
  },
  {
    name: 'a run that crashed keeps the lease for ever',
    seed: 3,
    distort: (base) => ({
      ...base,
      runs: {
        ...base.runs,
        begin: (options) => base.runs.begin({ ...options, leaseExpiresAt: new Date('2100-01-01T00:00:00Z') }),
      },
    }),
  },
  {
    name: 'our own writes do not say that they are ours',
    seed: 3,
    event: ({ before, after, ...event }) => {
      const metadata = after.data()?.['metadata'] as Data;
      return {
        ...event,
        after,
        before: { ...before, data: () => withMetadata(before.data() ?? {}, metadata) },
      };
    },
  },
  {
    name: 'what a delivery ended stays in the queue',
    seed: 3,
    ...undone('sync_queue', ({ sync_status }) => sync_status === 'failed'),
  },
  {
    name: 'an erasure forgets the register',
    seed: 1,
    ...withStores(({ erasure }) => {
      const none = async () => ({ 'public.members': 0 });
      return { erasure: { ...erasure, find: none, erase: none } };
    }),
  },
  {
    name: 'a registration is no event',
    seed: 3,
    event: (event) =>
      isMember(event.path) && !event.before.exists ? { ...event, after: event.before } : event,
  },
  {
    name: 'what was withdrawn stays with the number that was corrected',
    seed: 278,
    lens: shown((data) => (isTombstone(data) ? withMetadata(data, { withdrawn: {}, heard: {} }) : data)),
  },
  {
    name: 'an edit does not follow a corrected number',
    seed: 4,
    ...undone('sync_queue', (data, { kennitala = data['kennitala'] }) => kennitala !== data['kennitala']),
  },
  {
    name: 'the end of a run is no event',
    seed: 1,
    event: (event) => (event.path.startsWith('sync_audit/') ? { ...event, before: event.after } : event),
  },
  {
    name: 'the register never looks old',
    seed: 1,
    lens: {
      read: (path, data) =>
        path === 'sync_state/register' && data['lastSuccess'] !== undefined
          ? { ...data, lastSuccess: { ...(data['lastSuccess'] as Data), at: Timestamp.fromMillis(4e12) } }
          : data,
    },
  },
  {
    name: 'whom the database did not find in time is no member',
    seed: 61,
    ...withStores(({ reader }) => ({
      reader: {
        ...reader,
        readEligibility: (kennitalas) =>
          reader.readEligibility(kennitalas).catch(() => ({
            members: kennitalas.map((kennitala) => ({ kennitala, active: false, since: null })),
            verifiedAt: new Date(),
          })),
      },
    })),
  },
];
