import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { parseMemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { isWire } from '../../../src/domain/member/wire.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import { applyReading, applyVersionedEvent } from '../../../src/portal/apply-event.ts';
import type { MemberStore } from '../../../src/portal/ports.ts';
import { decideMember } from '../../../src/portal/reconcile/decide-member.ts';
import type { MemberReader, RegistryChanges } from '../../../src/registry/ports.ts';
import type { DeliveryDependencies } from '../../../src/twoway/delivery.ts';
import { makeTwoWayLogs } from '../../../src/twoway/logs.ts';
import type { DocumentWrite, TwoWayStore } from '../../../src/twoway/ports.ts';
import type { EditTime } from '../../../src/twoway/queue.ts';
import {
  type ApplyProtocol,
  makeApplyProtocol,
  makeRegistryMembers,
  type RegistryMembers,
} from '../../../src/twoway/registry.ts';
import { pullChanges, pushEdits } from '../../../src/twoway/sweep.ts';
import { trackMemberWrite } from '../../../src/twoway/track.ts';
import { makeMemoryPortal } from './memory-portal.ts';
import { type ModelOptions, type ModelWebhook, makeRegistryModel } from './registry-model.ts';

/** The death of one process: at which of its calls, counted from 0, and whether that call still takes effect. */
export interface Death {
  readonly atCall: number;
  readonly takesEffect: boolean;
}

export type WorldOptions = ModelOptions;

const START = Date.parse('2026-11-20T10:00:00Z');

/** Both sides, what is on its way between them, and the processes that carry it. Time is the test's. */
export const makeWorld = (kennitalas: readonly Kennitala[], options: WorldOptions) => {
  let time = START;
  let owners = 0;
  let seed = 1;
  const now = () => new Date(time);
  const events: DocumentWrite[] = [];
  const counts = { events: 0, webhooks: 0, requests: 0 };
  const portal = makeMemoryPortal(now, (write) => {
    events.push(write);
    counts.events += 1;
  });
  const registry = makeRegistryModel(kennitalas, now, options);
  const network = { isDown: false };
  const protocol: { current: ApplyProtocol } = { current: makeApplyProtocol() };

  /** Chance that is the same in each run: how long a call waits, in turns of the event loop's microtasks. */
  const pause = async (): Promise<void> => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    for (let turns = (seed >>> 16) % 6; turns > 0; turns -= 1) await null;
  };

  /** Runs as one process; a dead one reaches nothing any more. Answers whether it came to its end. */
  const inProcess = async (
    death: Death | null,
    work: (ports: Ports) => Promise<unknown>,
  ): Promise<boolean> => {
    let calls = 0;
    let isDead = false;
    const reach = async <T>(call: () => Promise<T>): Promise<T> => {
      await pause();
      if (isDead) throw new SyncError('store_unavailable', 'The process is dead.');
      const isLast = death !== null && calls === death.atCall;
      calls += 1;
      if (!isLast) return call();
      isDead = true;
      if (death.takesEffect) await call();
      throw new SyncError('store_unavailable', 'The process died.');
    };
    const toRegistry = <T>(call: () => T): Promise<T> =>
      reach(async () => {
        counts.requests += 1;
        if (network.isDown) throw new SyncError('registry_unreachable', 'The registry is down.');
        return call();
      });
    const { store, members } = portal;
    const reader: MemberReader = {
      readMember: (kennitala) => toRegistry(() => registry.answerOf(kennitala)),
    };
    const ports: Ports = {
      reader,
      registryMembers: makeRegistryMembers({
        reader,
        pages: {
          pages: async function* () {
            yield await toRegistry(() => registry.list());
          },
        },
      }),
      store: {
        transact: (...given) => reach(() => store.transact(...given)),
        transactAll: (...given) => reach(() => store.transactAll(...given)),
        members: (given) => reach(() => store.members(given)),
        conflictMember: (id) => reach(() => store.conflictMember(id)),
        deleteSynced: (before) => reach(() => store.deleteSynced(before)),
      },
      members: {
        read: (kennitala) => reach(() => members.read(kennitala)),
        applyChange: (request) => reach(() => members.applyChange(request)),
      },
      registry: {
        apply: (changes) => toRegistry(() => changes.map(registry.apply)),
        outbox: () => toRegistry(() => [...registry.outbox]),
        markSynced: (ids) =>
          toRegistry(() => {
            for (const id of ids)
              registry.outbox.splice(
                registry.outbox.findIndex((row) => row.id === id),
                1,
              );
          }),
      },
    };
    try {
      await work(ports);
      return !isDead;
    } catch (cause) {
      if (cause instanceof SyncError && cause.code !== 'internal') return false;
      throw cause;
    }
  };

  const logs = makeTwoWayLogs(() => undefined);
  const reference = async () => 'm_0000000000000000';
  const dependencies = (ports: Ports): DeliveryDependencies => ({
    store: ports.store,
    registry: ports.registry,
    registryMembers: ports.registryMembers,
    protocol: protocol.current,
    reference,
    now,
    random: () => 0.5,
    makeOwner: () => `owner-${owners++}`,
    logs,
  });
  const signal = new AbortController().signal;
  const latest = new Map<Kennitala, EditTime>();
  const disordered = new Set<Kennitala>();
  /** Notes where an event of a member arrives behind a later one. */
  const noteOrder = ({ kennitala, at, isServers }: DocumentWrite): void => {
    if (isServers || seen.has(at)) return;
    const waits = events.some(
      (it) => it.kennitala === kennitala && !it.isServers && it.at < at && !seen.has(it.at),
    );
    if (waits || at < (latest.get(kennitala) ?? at)) disordered.add(kennitala);
    latest.set(kennitala, at);
    seen.add(at);
  };
  const seen = new Set<EditTime>();

  return {
    portal,
    registry,
    network,
    events,
    counts,
    now,
    advance: (ms: number) => {
      time += ms;
    },
    coldStart: () => {
      protocol.current = makeApplyProtocol();
    },
    reseed: (value: number) => {
      seed = value;
    },
    dependencies: () =>
      dependencies({
        ...portal,
        registry: directRegistry(registry),
        reader: directReader(registry),
        registryMembers: directMembers(registry),
      }),
    wasOutOfOrder: (kennitala: Kennitala) => disordered.has(kennitala),
    /** @param isBesideAnother whether another event is being taken at the same time: then either can be first. */
    track: (write: DocumentWrite, death: Death | null = null, isBesideAnother = false) => {
      const isWrittenDown = death === null || death.atCall > 0 || death.takesEffect;
      if (isWrittenDown) noteOrder(write);
      if (isBesideAnother) disordered.add(write.kennitala);
      return inProcess(death, (ports) => trackMemberWrite(write, signal, dependencies(ports)));
    },
    sweep: (which: 'due' | 'waiting' | 'failed', death: Death | null = null) =>
      inProcess(death, (ports) => pushEdits(which, signal, dependencies(ports))),
    pull: (death: Death | null = null) =>
      inProcess(death, (ports) =>
        pullChanges(signal, {
          members: ports.members,
          registry: ports.reader,
          changes: ports.registry,
          rosterRefresh: { request: async () => undefined },
          reference,
          now,
          logs,
        }),
      ),
    /** The nightly reconcile, of one member: reads both sides, and writes unless somebody else has meanwhile. */
    reconcile: (kennitala: Kennitala) =>
      inProcess(null, async ({ members }) => {
        const { stored, state } = await members.read(kennitala);
        const json = registry.list().members.find((it) => isWire(it) && it['ssn'] === kennitala);
        const said = parseRegistryMember(json);
        await members.applyChange({
          kennitala,
          eventId: null,
          ifState: state,
          djangoId: said.djangoId,
          at: now(),
          decide: (_, pending, former) => {
            const verdict = decideMember({ stored, state, pending, former, writtenAt: null }, said, now());
            if (!('member' in verdict)) return { kind: 'unchanged' };
            const { member, meta, differences } = verdict;
            return { kind: 'write', member, meta, differences, keptEdits: [] };
          },
          toReceipt: () => ({ result: 'applied', action: 'update', member: '', changesRoster: false }),
        });
      }),
    receive: ({ id, body }: ModelWebhook, death: Death | null = null) => {
      counts.webhooks += 1;
      return inProcess(death, (ports) => {
        const given = { members: ports.members, registry: ports.reader, reference, now };
        const change = parseMemberChange(body);
        return change.version === null
          ? applyReading(change, id, signal, given)
          : applyVersionedEvent(change, id, given);
      });
    },
  };
};

interface Ports {
  readonly store: TwoWayStore;
  readonly members: MemberStore;
  readonly registry: RegistryChanges;
  readonly reader: MemberReader;
  readonly registryMembers: RegistryMembers;
}

export type World = ReturnType<typeof makeWorld>;

const directRegistry = (registry: ReturnType<typeof makeRegistryModel>): RegistryChanges => ({
  apply: async (changes) => changes.map(registry.apply),
  outbox: async () => [...registry.outbox],
  markSynced: async () => undefined,
});

const directReader = (registry: ReturnType<typeof makeRegistryModel>): MemberReader => ({
  readMember: async (kennitala) => registry.answerOf(kennitala),
});

const directMembers = (registry: ReturnType<typeof makeRegistryModel>): RegistryMembers =>
  makeRegistryMembers({
    reader: directReader(registry),
    pages: {
      pages: async function* () {
        yield registry.list();
      },
    },
  });
