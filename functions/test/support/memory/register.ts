import { SCHEMA_VERSION } from '../../../src/adapters/postgres/database.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { addSums, BUCKETS, bucketOf, NO_MEMBERS } from '../../../src/domain/member/digest.ts';
import { isSyncError, SyncError } from '../../../src/lib/errors.ts';
import { type ErasureStore, type RegisterLookup, stillPublished } from '../../../src/ops/ports.ts';
import type { RegisterDigests } from '../../../src/proof/digest-ports.ts';
import {
  type ChangedRow,
  type CommitOrder,
  type EventResult,
  type KnownUnreadable,
  type Outbox,
  type RegisterDifferences,
  type RegisterReader,
  type RegisterStore,
  type RowStore,
  SAID,
  type StagedMember,
  type SyncLogEntry,
} from '../../../src/register/ports.ts';
import type { RegisterStores } from '../../../src/wiring/shared.ts';
import type { MakeCall } from './call.ts';

export interface Row extends Omit<StagedMember, 'said'> {
  readonly is_active: boolean;
  readonly added_at: Date;
  readonly removed_version: number | null;
  readonly last_verified_at: Date | null;
  readonly removed_at: Date | null;
}

interface Planned {
  readonly kind: 'added' | 'reactivated' | 'updated' | 'noted' | 'removed';
  readonly before: Row | null;
  readonly after: Row;
}

/**
 * The register in memory, after `stage-statements.ts` and `row-store.ts`. A run's transaction shuts other writers out until it
 * ends, or its instance does. `onChange` is told of each row that is written.
 */
export const makeMemoryRegister = (
  onChange: (before: Row | null, after: Row, runId: string | null) => void,
) => {
  const rows = new Map<Kennitala, Row>();
  const log = new Map<number, SyncLogEntry>();
  const ids = new Map<Kennitala, number>();
  const changes: (ChangedRow & { readonly logId: number })[] = [];
  let holder: { readonly isAlive: () => boolean } | null = null;
  let numbers = 0;
  const nextId = (): number => {
    numbers += 1;
    return numbers;
  };

  const openLog = (
    entry: Pick<SyncLogEntry, 'details' | 'status' | 'sync_timestamp' | 'sync_type'>,
  ): number => {
    const counts = { members_added: 0, members_removed: 0, members_verified: 0, error_count: 0 };
    const id = nextId();
    log.set(id, { id, ...counts, ...entry });
    return id;
  };
  const closeLog = (
    id: number,
    status: SyncLogEntry['status'],
    { counts, details }: Pick<CommitOrder, 'counts' | 'details'>,
  ): void => {
    const entry = log.get(id);
    if (entry?.status !== 'pending') return;
    const { added, removed, verified, errors } = counts;
    const closed = { members_added: added, members_removed: removed, members_verified: verified };
    log.set(id, {
      ...entry,
      ...closed,
      error_count: errors,
      status,
      details: { ...entry.details, ...details },
    });
  };
  const put = (logId: number, kind: Planned['kind'], after: Row, runId: string | null): void => {
    const { kennitala } = after;
    const before = rows.get(kennitala) ?? null;
    const memberId = ids.get(kennitala) ?? nextId();
    ids.set(kennitala, memberId);
    rows.set(kennitala, after);
    if (kind !== 'noted') changes.push({ logId, memberId, kind, kennitala });
    onChange(before, after, runId);
  };
  /** One row that an event brought. */
  const putEvent = (kind: ChangedRow['kind'], after: Row, at: Date): void =>
    put(
      openLog({ sync_type: 'webhook', sync_timestamp: at, status: 'success', details: { kind } }),
      kind,
      after,
      null,
    );
  const assertFree = (): void => {
    if (holder?.isAlive() === true) throw new SyncError('database_unavailable', 'The table is locked.');
  };

  const plan = (
    members: readonly StagedMember[],
    unreadable: readonly KnownUnreadable[],
    startedAt: Date,
    buckets: readonly number[] | undefined,
  ): Planned[] => {
    const staged = new Set<unknown>([...members, ...unreadable].map(({ kennitala }) => kennitala));
    const written = members.flatMap((member): Planned[] => {
      const before = rows.get(member.kennitala) ?? null;
      const after = withSaid(before, member, startedAt);
      if (before === null) return [{ kind: 'added', before, after }];
      if (isLater(before.last_verified_at, startedAt) || isLater(before.removed_at, startedAt)) return [];
      if (!before.is_active) return [{ kind: 'reactivated', before, after }];
      const { last_verified_at: _, digest_a, digest_b, ...content } = after;
      const isNews = Object.entries(content).some(([column, value]) => before[column as keyof Row] !== value);
      if (isNews) return [{ kind: 'updated', before, after }];
      const isNoted = digest_a !== null && (digest_a !== before.digest_a || digest_b !== before.digest_b);
      return isNoted ? [{ kind: 'noted', before, after: { ...before, digest_a, digest_b } }] : [];
    });
    const removed = [...rows.values()]
      .filter(({ kennitala, is_active, last_verified_at }) => {
        const isAsked = buckets === undefined || buckets.includes(bucketOf(kennitala));
        return is_active && isAsked && !isLater(last_verified_at, startedAt) && !staged.has(kennitala);
      })
      .map((before): Planned => {
        const after = { ...before, is_active: false, removed_at: startedAt, digest_a: null, digest_b: null };
        return { kind: 'removed', before, after };
      });
    return [...written, ...removed].sort((a, b) => (a.after.kennitala < b.after.kennitala ? -1 : 1));
  };

  const differencesOf = (planned: readonly Planned[], staged: number): RegisterDifferences => {
    const of = (kind: Planned['kind']) =>
      planned.filter((one) => one.kind === kind).map(({ after }) => after.kennitala);
    const kinds = {
      added: of('added'),
      reactivated: of('reactivated'),
      updated: of('updated'),
      removed: of('removed'),
    };
    const blanked = (column: 'name' | 'email' | 'phone') =>
      planned.filter(({ kind, before, after }) => kind === 'updated' && before?.[column] && !after[column])
        .length;
    const active = [...rows.values()].filter(({ is_active }) => is_active).length;
    return {
      ...kinds,
      active,
      inactive: rows.size - active,
      unchanged: staged - kinds.added.length - kinds.reactivated.length - kinds.updated.length,
      blanked: { name: blanked('name'), email: blanked('email'), phone: blanked('phone') },
      digest: JSON.stringify(planned.map(({ kind, before, after }) => [kind, after.kennitala, before])),
    };
  };

  const upsert = (member: StagedMember, at: Date): EventResult => {
    const before = rows.get(member.kennitala) ?? null;
    const { version } = member;
    if (version !== null && before !== null && (before.version ?? -1) >= version) return 'stale';
    if (version !== null && before !== null && !before.is_active && !hasRemovedVersion(before))
      return 'skipped';
    const kind = before === null ? 'added' : before.is_active ? 'updated' : 'reactivated';
    putEvent(kind, withSaid(before, member, at), at);
    return 'applied';
  };
  const deactivate = (kennitala: Kennitala, version: number | null, at: Date): EventResult => {
    const before = rows.get(kennitala);
    if (before === undefined) {
      const nothing = { name: '', email: null, phone: null, external_id: null, date_joined: null };
      const gone = { is_active: false, added_at: at, removed_at: at, removed_version: version, version };
      const unread = { digest_a: null, digest_b: null, last_verified_at: null };
      rows.set(kennitala, { kennitala, ...nothing, ...gone, ...unread });
      return 'unchanged';
    }
    if (version !== null && (before.version ?? -1) >= version) return 'stale';
    const removal = !before.is_active && !hasRemovedVersion(before) ? {} : { removed_version: version };
    const said = version === null ? {} : { version, ...removal };
    const removed_at = before.is_active ? at : before.removed_at;
    const after = { ...before, ...said, is_active: false, digest_a: null, digest_b: null, removed_at };
    if (before.is_active) putEvent('removed', after, at);
    else rows.set(kennitala, after);
    return before.is_active ? 'applied' : 'unchanged';
  };

  return {
    rows,
    log,
    storesOf: (call: MakeCall, isAlive: () => boolean): RegisterStores => {
      const ask = <T>(what: string, effect: () => T): Promise<T> => call('database', what, effect);
      const store: RegisterStore = {
        assertSchema: async () => undefined,
        openLog: ({ syncType, runId, at, abandonedBefore }) =>
          ask('open the row of a run', () => {
            for (const one of log.values()) {
              if (one.status === 'pending' && one.sync_timestamp < abandonedBefore)
                log.set(one.id, { ...one, status: 'failed' });
            }
            return openLog({
              sync_type: syncType,
              sync_timestamp: at,
              status: 'pending',
              details: { run: runId },
            });
          }),
        failLog: (id, counts, details) =>
          ask('close the row of a run', () => closeLog(id, 'failed', { counts, details })),
        stage: async (members, unreadable, { startedAt, buckets, exclusive }) => {
          const mine = { isAlive };
          const free = (): void => {
            if (holder === mine) holder = null;
          };
          const planned = await ask('stage and compare the members', () => {
            assertFree();
            if (exclusive) holder = mine;
            return plan(members, unreadable, startedAt, buckets);
          }).catch((cause) => {
            // With the connection the transaction is gone.
            free();
            throw cause;
          });
          const commit = ({ logId, ...order }: CommitOrder): void => {
            const entry = log.get(logId);
            if (entry === undefined || holder !== mine)
              throw new SyncError('storage_conflict', 'The transaction is lost.');
            for (const { kind, after } of planned) put(logId, kind, after, String(entry.details['run']));
            closeLog(logId, 'success', order);
            free();
          };
          return {
            differences: differencesOf(planned, members.length),
            commit: async (order) => {
              try {
                await ask('commit the members', () => commit(order));
              } catch (cause) {
                if (!isSyncError(cause, 'database_unavailable')) throw cause;
                const status = await ask('look whether it was committed', () => log.get(order.logId)?.status);
                if (status !== 'success') throw new SyncError('storage_conflict', 'The transaction is lost.');
              }
            },
            rollback: async () => free(),
          };
        },
      };
      const whenFree = <T>(what: string, effect: () => T): Promise<T> =>
        ask(what, () => {
          assertFree();
          return effect();
        });
      const rowStore: RowStore = {
        upsert: (member, at) => whenFree('write a row', () => upsert(member, at)),
        deactivate: ({ kennitala, version }, at) =>
          whenFree('deactivate a row', () => deactivate(kennitala as Kennitala, version, at)),
      };
      const active = (): Row[] => [...rows.values()].filter(({ is_active }) => is_active);
      const digests: RegisterDigests = {
        sums: () =>
          ask('add the digests up', () => {
            const sums = Array.from({ length: BUCKETS }, () => NO_MEMBERS);
            for (const { kennitala, digest_a, digest_b } of active()) {
              const bucket = bucketOf(kennitala);
              const one = { count: 1, a: digest_a ?? 0, b: digest_b ?? 0 };
              sums[bucket] = addSums(sums[bucket] ?? NO_MEMBERS, one);
            }
            return sums;
          }),
        rows: (buckets) =>
          ask('read rows of buckets', () =>
            active()
              .filter(({ kennitala }) => buckets.includes(bucketOf(kennitala)))
              .map(({ kennitala, digest_a: a, digest_b: b }) => ({
                kennitala,
                ...(a !== null && b !== null && { digest: { a, b } }),
              })),
          ),
      };
      const lookup: RegisterLookup = {
        find: (kennitala) =>
          ask('find a row', () => {
            const row = rows.get(kennitala);
            if (row === undefined) return { state: 'absent' };
            return { state: row.is_active ? 'active' : 'inactive', addedAt: null, removedAt: null };
          }),
      };
      const place = 'public.members';
      const erasure: ErasureStore = {
        places: [place],
        find: ({ kennitala }) => ask('find a person', () => ({ [place]: rows.has(kennitala) ? 1 : 0 })),
        erase: ({ kennitala }) =>
          whenFree('erase a person', () => {
            if (rows.get(kennitala)?.is_active === true) throw stillPublished('register');
            return { [place]: rows.delete(kennitala) ? 1 : 0 };
          }),
      };
      const runsOf = (): SyncLogEntry[] =>
        [...log.values()]
          .filter(({ sync_type }) => sync_type !== 'webhook')
          .sort((a, b) => b.sync_timestamp.getTime() - a.sync_timestamp.getTime() || b.id - a.id);
      const lastSuccess = (): SyncLogEntry | null =>
        runsOf().find(({ status }) => status === 'success') ?? null;
      const reader: RegisterReader = {
        readSchema: async () => ({ version: SCHEMA_VERSION, needed: SCHEMA_VERSION }),
        readStatus: () =>
          ask('read the status', () => ({
            lastRun: runsOf()[0] ?? null,
            lastSuccess: lastSuccess(),
            active: active().length,
            inactive: rows.size - active().length,
            waitingNotifications: 0,
          })),
        readLogs: ({ limit, before, status, type }) =>
          ask('read the log', () =>
            [...log.values()]
              .filter((one) => before === null || one.id < before)
              .filter(
                (one) => (status ?? one.status) === one.status && (type ?? one.sync_type) === one.sync_type,
              )
              .sort((a, b) => b.id - a.id)
              .slice(0, limit),
          ),
        readEligibility: (kennitalas) =>
          ask('read who is a member', () => ({
            members: kennitalas.map((kennitala) => {
              const row = rows.get(kennitala);
              if (row?.is_active !== true) return { kennitala, active: false, since: null };
              const since = row.date_joined === null ? row.added_at : new Date(row.date_joined);
              return { kennitala, active: true, since };
            }),
            verifiedAt: lastSuccess()?.sync_timestamp ?? null,
          })),
        readChanges: (runId, { after, limit }) =>
          ask('read what a run changed', () =>
            changes
              .filter(({ logId, memberId }) => log.get(logId)?.details['run'] === runId && memberId > after)
              .sort((a, b) => a.memberId - b.memberId)
              .slice(0, limit),
          ),
      };
      const none = async (): Promise<void> => undefined;
      const outbox: Outbox = { claimDue: async () => [], markDelivered: none, markFailed: none };
      return { store, reader, rows: rowStore, outbox, removeExpired: none, digests, lookup, erasure };
    },
  };
};

export type MemoryRegister = ReturnType<typeof makeMemoryRegister>;

const isLater = (time: Date | null, than: Date): boolean => time !== null && time > than;

const hasRemovedVersion = ({ removed_version, version }: Row): boolean =>
  removed_version !== null && removed_version === version;

/** The row after what was said of the member; what was not mentioned stays. */
const withSaid = (before: Row | null, { said, ...member }: StagedMember, at: Date): Row => {
  const or = <T>(bit: number, value: T, was: T | undefined, empty: T): T =>
    said & bit ? value : (was ?? empty);
  return {
    kennitala: member.kennitala,
    name: or(SAID.name, member.name, before?.name, ''),
    email: or(SAID.email, member.email, before?.email, null),
    phone: or(SAID.phone, member.phone, before?.phone, null),
    external_id: or(SAID.externalId, member.external_id, before?.external_id, null),
    date_joined: or(SAID.dateJoined, member.date_joined, before?.date_joined, null),
    version: or(SAID.version, member.version, before?.version, null),
    digest_a: member.digest_a,
    digest_b: member.digest_b,
    is_active: true,
    added_at: before?.added_at ?? at,
    removed_version: before?.removed_version ?? null,
    last_verified_at: at,
    removed_at: null,
  };
};
