import type { DocumentData } from 'firebase-admin/firestore';
import { makeMemberStore } from '../../../src/adapters/firestore/member-store.ts';
import { makeQueueStore, makeTwoWayLog } from '../../../src/adapters/firestore/queue-store.ts';
import { makeRosterRefresh } from '../../../src/adapters/firestore/roster-refresh.ts';
import { type MemberEvent, toMemberWrite } from '../../../src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { Json } from '../../../src/domain/member/fields.ts';
import { chunksOf } from '../../../src/lib/concurrency.ts';
import type { SyncError } from '../../../src/lib/errors.ts';
import type { LogFields } from '../../../src/lib/log.ts';
import { applyReading } from '../../../src/portal/apply-event.ts';
import type { Change, ChangeAnswer, OutboxRow } from '../../../src/registry/ports.ts';
import { deliverMembers } from '../../../src/twoway/deliver.ts';
import { makeTwoWayLogs } from '../../../src/twoway/logs.ts';
import type { DocumentWrite } from '../../../src/twoway/ports.ts';
import { makeQueueItem, type NewItem, type QueueItem } from '../../../src/twoway/queue.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../../../src/twoway/registry.ts';
import { runTwoWay, type TwoWayDependencies, type TwoWayRun } from '../../../src/twoway/sweep.ts';
import { trackMemberWrite, tryEdit } from '../../../src/twoway/track.ts';
import { chain } from '../../support/chain.ts';
import { makeMemoryFirestore, type Written } from '../../support/memory/firestore.ts';

export const NOW = Date.parse('2026-11-20T10:00:00Z');
export const EMAIL = 'profile.email';

type Row = Record<string, unknown> & { readonly id: number; readonly ssn: string; readonly version?: number };

/**
 * Both directions over the deployed adapters and a Firestore in memory, which the contract of its stores is held against. The
 * registry is the test's: rows, and what it answers to what it is told.
 */
export const openMemoryStack = () => {
  const clock = { ms: NOW };
  const now = (): Date => new Date(clock.ms);
  const edits: DocumentWrite[] = [];
  /** Fails a call of the client, by what it does: `commit a transaction`, `read in a transaction`, `query sync_queue`. */
  const firestore = { fails: (_what: string): boolean => false };
  let events = 0;
  const onWrite = ({ path, before, after }: Written): void => {
    const [collection, kennitala = ''] = path.split('/');
    if (collection !== 'members') return;
    events += 1;
    const facts = { id: `event-${events}`, time: now().toISOString(), kennitala, before, after };
    const write = toMemberWrite(facts as unknown as MemberEvent);
    if (write?.isServers === false) edits.push(write);
  };
  const memory = makeMemoryFirestore(() => clock.ms, onWrite);
  const db = memory.clientOf(
    async (_server, what, effect) => {
      await null;
      if (firestore.fails(what)) throw Object.assign(new Error('told to fail'), { code: PERMISSION_DENIED });
      return effect();
    },
    async () => undefined,
    () => 0.5,
  );
  const client = async () => db;

  const rows = new Map<string, Row>();
  const registry = {
    rows,
    /** One list a request. */
    told: [] as Change[][],
    /** Whom it was asked about, one by one. */
    asked: [] as string[],
    /** Acknowledged rows of the change queue, one list a call. */
    marked: [] as number[][],
    /** What `outbox` gives, call after call; then nothing. */
    outbox: [] as OutboxRow[][],
    /** Makes each call fail. */
    failure: null as SyncError | null,
    /** What the registry's own people change. */
    change: (kennitala: Kennitala, values: Readonly<Record<string, unknown>>): void =>
      void rows.set(kennitala, { ...(rows.get(kennitala) as Row), ...values }),
    /** With the companion app: counts versions, and would say that a value is another than expected. */
    take: (change: Change): ChangeAnswer => {
      const row = rows.get(change.kennitala);
      if (row === undefined) return { status: 'refused', code: 'unknown_member', message: 'who?' };
      const version = row.version === undefined ? null : row.version + 1;
      rows.set(change.kennitala, {
        ...withValues(row, change.changes),
        ...(version !== null && { version }),
      });
      return { status: 'success', version };
    },
  };
  const reach = <T>(answer: () => T): Promise<T> =>
    registry.failure === null ? Promise.resolve().then(answer) : Promise.reject(registry.failure);
  const reader = {
    readMember: (kennitala: string) =>
      reach(() => {
        registry.asked.push(kennitala);
        return rows.get(kennitala) ?? null;
      }),
  };
  const pages = {
    pages: async function* () {
      yield await reach(() => ({ members: [...rows.values()], count: rows.size }));
    },
  };
  const changes = {
    apply: (told: readonly Change[]) =>
      reach(() => {
        registry.told.push([...told]);
        return told.map(registry.take);
      }),
    outbox: () => reach(() => registry.outbox.shift() ?? []),
    markSynced: (ids: readonly number[]) => reach(() => void registry.marked.push([...ids])),
  };

  const logs: LogFields[] = [];
  let owners = 0;
  const dependencies: TwoWayDependencies = {
    store: makeQueueStore(client),
    members: makeMemberStore(client),
    log: makeTwoWayLog(client, chain.current),
    rosterRefresh: makeRosterRefresh(client),
    registry: changes,
    changes,
    reader,
    registryMembers: makeRegistryMembers({ reader, pages }),
    protocol: makeApplyProtocol(),
    reference: async (kennitala) => `m_${[...rows.keys()].indexOf(kennitala)}`,
    now,
    random: () => 0,
    makeOwner: () => `owner-${owners++}`,
    makeRunId: () => 'run-1',
    runLimitMs: 60_000,
    logs: makeTwoWayLogs((_severity, _message, fields) => logs.push(fields)),
  };
  const all = (collection: string): DocumentData[] =>
    memory.all(collection).map(([path, data]) => ({ id: path.split('/').at(-1), ...data }));
  const signal = new AbortController().signal;

  /** Puts members into the registry and, as a webhook would, into the portal. */
  const load = async (kennitalas: readonly Kennitala[], version: number | null = 1): Promise<void> => {
    const given = {
      members: dependencies.members,
      registry: reader,
      reference: dependencies.reference,
      now,
    };
    for (const [n, kennitala] of kennitalas.entries()) {
      const [id, ssn] = [rows.size + 1, kennitala];
      const contact_info = { email: `old${n}@example.is`, phone: '5550000' };
      const row = { id, ssn, name: 'Generated Person', reachable: false, contact_info };
      rows.set(kennitala, version === null ? row : { ...row, version });
      await applyReading({ kennitala, action: 'update' }, null, signal, given);
    }
    registry.asked.length = 0;
  };
  /** What the member's own client does. */
  const edit = (kennitala: string, values: Readonly<Record<string, unknown>>): void =>
    memory.write('update', `members/${kennitala}`, values);

  return {
    clock,
    now,
    firestore,
    registry,
    dependencies,
    logs,
    /** The events of members' own writes, in their order. */
    edits,
    memory,
    load,
    edit,
    /** Loads them, each with an edit of their e-mail address in the queue that nobody has begun to deliver. */
    queue: async (kennitalas: readonly Kennitala[], version: number | null = 1): Promise<void> => {
      await load(kennitalas, version);
      for (const kennitala of kennitalas) edit(kennitala, { [EMAIL]: `${kennitala}@example.is` });
      const items = new Map(
        edits.splice(0).map((write) => [write.kennitala, makeQueueItem(tryEdit(write) as NewItem, now())]),
      );
      for (const some of chunksOf(kennitalas, 100))
        await dependencies.store.transactAll(some, now(), (kennitala) => ({
          items: [items.get(kennitala) as QueueItem],
          result: null,
        }));
    },
    track: (write: DocumentWrite) => trackMemberWrite(write, signal, dependencies),
    deliver: (kennitalas: readonly Kennitala[], options: { isUrgent?: boolean; signal?: AbortSignal } = {}) =>
      deliverMembers(kennitalas, { signal, ...options }, dependencies),
    run: (run: Partial<TwoWayRun> = {}) =>
      runTwoWay({ trigger: 'http', which: 'due', requestedBy: 'operator', ...run }, dependencies),
    profileOf: (kennitala: string) => memory.held(`members/${kennitala}`)?.['profile'] as DocumentData,
    items: () => all('sync_queue'),
    conflicts: () => all('sync_conflicts'),
    records: () => all('sync_logs'),
    all,
  };
};
export type MemoryStack = ReturnType<typeof openMemoryStack>;

/** Nothing that the client or the stores try again. */
const PERMISSION_DENIED = 7;

const withValues = (row: Row, changes: Readonly<Record<string, Json>>): Row => {
  const { 'profile.reachable': reachable = row['reachable'], ...contacts } = changes;
  const named = Object.entries(contacts).map(([path, value]) => [path.replace('profile.', ''), value]);
  const contact_info = { ...(row['contact_info'] as object), ...Object.fromEntries(named) };
  return { ...row, reachable, contact_info };
};

/** One member as their client and the trigger have them: `edited` writes, `tracked` hands on the event of a write. */
export const openMember = (stack: () => MemoryStack, kennitala: Kennitala) => ({
  edited: (values: Readonly<Record<string, unknown>>): DocumentWrite => {
    stack().edit(kennitala, values);
    stack().clock.ms += 1_000;
    return stack().edits.at(-1) as DocumentWrite;
  },
  tracked: (write: DocumentWrite) =>
    stack()
      .track(write)
      .catch(({ code, message }: SyncError) => ({ code, message })),
});
