import { makeMemberChanges } from '../../../src/adapters/django/member-changes.ts';
import { makeMemberPages, makeMemberReader } from '../../../src/adapters/django/read-members.ts';
import { fromMemberDocument, parsePortalMember } from '../../../src/adapters/firestore/member-document.ts';
import { makeMemberStore } from '../../../src/adapters/firestore/member-store.ts';
import { makeQueueStore } from '../../../src/adapters/firestore/queue-store.ts';
import {
  fromConflictDocument,
  type MemberEvent,
  toMemberWrite,
  tryItemDocument,
} from '../../../src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { type FieldValues, withFields } from '../../../src/domain/member/fields.ts';
import { parseMemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import { applyReading, applyVersionedEvent } from '../../../src/portal/apply-event.ts';
import { decideMember } from '../../../src/portal/reconcile/decide-member.ts';
import { makeTwoWayLogs } from '../../../src/twoway/logs.ts';
import type { DocumentWrite } from '../../../src/twoway/ports.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../../../src/twoway/registry.ts';
import { pullChanges, pushEdits } from '../../../src/twoway/sweep.ts';
import { trackMemberWrite } from '../../../src/twoway/track.ts';
import type { MakeCall } from '../../support/memory/call.ts';
import { makeMemoryFirestore } from '../../support/memory/firestore.ts';
import { BASE_URL, makeRegistry, type RegistryKind, type Values } from '../../world/registry.ts';

/** The end of a process: at its `nth` call of this name, and whether that call still takes effect. */
interface Death {
  readonly what: string;
  readonly nth: number;
  readonly takesEffect: boolean;
}

interface Webhook {
  readonly id: string;
  /** As it is sent, or what that says. */
  readonly body: string | object;
}

const START = Date.parse('2026-11-20T10:00:00Z');

/**
 * The simulated world's registry and portal, where a test says what happens: each call is answered at once, and each event and
 * webhook waits until the test hands it over. Time is the test's.
 */
export const makeScenario = (
  kennitalas: readonly Kennitala[],
  kind: RegistryKind,
  options?: Parameters<typeof makeRegistry>[2],
) => {
  let time = START;
  let owners = 0;
  const now = (): Date => new Date(time);
  const events: DocumentWrite[] = [];
  let written = 0;
  const firestore = makeMemoryFirestore(
    () => time,
    ({ path, before, after }) => {
      const [collection, kennitala = ''] = path.split('/');
      if (collection !== 'members' || !after.exists) return;
      written += 1;
      const event = { id: `event-${written}`, time: now().toISOString(), kennitala, before, after };
      const write = toMemberWrite(event as unknown as MemberEvent);
      if (write !== null) events.push(write);
    },
  );
  const registry = makeRegistry(kind, () => time, options);
  for (const kennitala of kennitalas) registry.join(kennitala, {});
  registry.announced.length = 0;
  registry.queue.length = 0;
  /** `before` comes before each call of the registry. */
  const network = { isDown: false, before: (_what: string): void => undefined };
  const protocol = makeApplyProtocol();
  const logs = makeTwoWayLogs(() => undefined);
  const reference = async (): Promise<string> => 'm_0000000000000000';
  const { signal } = new AbortController();

  /** What a process works with. */
  const wire = (call: MakeCall) => {
    const client = async () => firestore.clientOf(call, async () => undefined, Math.random);
    const http = registry.httpOf(call);
    const reader = makeMemberReader(http);
    const changes = makeMemberChanges(http);
    return {
      members: makeMemberStore(client),
      registry: changes,
      changes,
      reader,
      registryMembers: makeRegistryMembers({
        reader,
        pages: makeMemberPages(http, { baseUrl: BASE_URL, deadlineMs: 60_000 }),
      }),
      store: makeQueueStore(client),
      protocol,
      reference,
      now,
      random: () => 0.5,
      makeOwner: () => `owner-${owners++}`,
      logs,
      rosterRefresh: { request: async () => undefined },
    };
  };

  /** Runs as one process, and says whether it came to its end. */
  const inProcess = async (
    work: (wired: ReturnType<typeof wire>) => Promise<unknown>,
    death: Death | null = null,
  ): Promise<boolean> => {
    let isDead = false;
    let calls = 0;
    const call: MakeCall = async (server, what, effect) => {
      if (isDead) throw new SyncError('store_unavailable', 'The process is dead.');
      // No call takes no time at all.
      time += 1;
      if (what === death?.what) calls += 1;
      isDead = death !== null && calls === death.nth;
      if (server === 'registry') {
        if (network.isDown) throw new SyncError('registry_unreachable', 'The registry is down.');
        network.before(what);
      }
      const value = !isDead || death?.takesEffect ? effect() : null;
      if (isDead) throw new SyncError('store_unavailable', 'The process died.');
      return value as never;
    };
    try {
      await work(wire(call));
      return !isDead;
    } catch (cause) {
      if (cause instanceof SyncError && cause.code !== 'internal') return false;
      throw cause;
    }
  };

  const stored = (kennitala: Kennitala) => {
    const data = firestore.held(`members/${kennitala}`);
    return data === null ? null : fromMemberDocument(kennitala, data);
  };

  return {
    registry,
    network,
    events,
    now,
    stored,
    items: () =>
      firestore
        .all('sync_queue')
        .flatMap(([path, data]) => tryItemDocument(path.split('/')[1] ?? '', data) ?? []),
    conflicts: () =>
      firestore
        .all('sync_conflicts')
        .map(([path, data]) => fromConflictDocument(path.split('/')[1] ?? '', data)),
    advance: (ms: number): void => {
      time += ms;
    },
    /** What the member's own client does. */
    edit: (kennitala: Kennitala, values: Partial<FieldValues>): void =>
      firestore.write('update', `members/${kennitala}`, values),
    /** What an erasure leaves: nothing. */
    erase: (kennitala: Kennitala): void => firestore.write('delete', `members/${kennitala}`, {}),
    /** What a registration does: a document without metadata. `isAsked`: the form has shown both consents, so that the document holds one that was not given as well. */
    register: (kennitala: Kennitala, values: Partial<FieldValues>, isAsked = true): void => {
      const { profile, membership } = withFields(parsePortalMember(kennitala, {}), values);
      const { reachable, groupable, ...others } = profile;
      const asked = isAsked ? { reachable, groupable } : {};
      firestore.write('create', `members/${kennitala}`, { profile: { ...others, ...asked }, membership });
    },
    /** The registry's word about a member as they are, as after an import. */
    introduce: (kennitala: Kennitala, values: Partial<Values>): void =>
      registry.edit(kennitala, values, false),
    track: (write: DocumentWrite, death?: Death) =>
      inProcess((wired) => trackMemberWrite(write, signal, wired), death),
    sweep: (which: 'due' | 'waiting' | 'failed') => inProcess((wired) => pushEdits(which, signal, wired)),
    pull: () => inProcess((wired) => pullChanges(signal, { ...wired, registry: wired.reader })),
    /** The nightly reconcile, of one member: reads both sides, and writes unless somebody else has meanwhile. */
    reconcile: (kennitala: Kennitala) =>
      inProcess(async ({ members }) => {
        const { stored, state } = await members.read(kennitala);
        const said = parseRegistryMember(registry.wireOf(kennitala));
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
    receive: ({ id, body }: Webhook) =>
      inProcess((wired) => {
        const given = { ...wired, registry: wired.reader };
        const change = parseMemberChange(typeof body === 'string' ? JSON.parse(body) : body);
        return change.version === null
          ? applyReading(change, id, signal, given)
          : applyVersionedEvent(change, id, given);
      }),
  };
};

export type Scenario = ReturnType<typeof makeScenario>;
