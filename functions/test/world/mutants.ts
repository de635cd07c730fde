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
/** Of a member something else is written, or nothing. */
const done = (distort: (write: Write, before: Data | null) => Write | null): Lens => ({
  write: (write, before) => (isMember(write.path) ? distort(write, before) : write),
});

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'versions are ignored',
    seed: 1,
    lens: shown((data) => withMetadata(data, WITHOUT_VERSION)),
  },
  {
    name: 'the version of a tombstone is ignored',
    seed: 11,
    lens: shown((data) => (isTombstone(data) ? withMetadata(data, WITHOUT_VERSION) : data)),
  },
  {
    name: 'nobody is revived',
    seed: 9,
    lens: done((write, before) =>
      before !== null && isTombstone(before) && statusIn(write.data) === 'active' ? null : write,
    ),
  },
  {
    name: 'the version is not stored',
    seed: 1,
    lens: done((write) => ({ ...write, data: withMetadata(write.data, WITHOUT_VERSION) })),
  },
  {
    name: 'the registry is believed to delete nobody',
    seed: 1,
    lens: done((write) => (isTombstone(write.data) ? null : write)),
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
    seed: 75,
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
    event: ({ before, after, ...event }) => ({
      ...event,
      after,
      before: {
        ...before,
        data: () => withMetadata(before.data() ?? {}, after.data()?.['metadata'] as Data),
      },
    }),
  },
  {
    name: 'what a delivery ended stays in the queue',
    seed: 3,
    lens: {
      write: (write) =>
        write.path.startsWith('sync_queue/') && write.data['sync_status'] === 'failed' ? null : write,
    },
  },
  {
    name: 'an erasure forgets the register',
    seed: 1,
    distort: (base) => {
      const stores = base.registerStores;
      if (stores === undefined) return base;
      const none = async () => ({ 'public.members': 0 });
      const erasure = { ...stores.erasure, find: none, erase: none };
      return { ...base, registerStores: { ...stores, erasure } };
    },
  },
];
