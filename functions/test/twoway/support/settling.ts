import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { decideChange, type StoredMember } from '../../../src/domain/member/decide-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import type { LogFields } from '../../../src/lib/log.ts';
import type { ChangeAnswer } from '../../../src/registry/ports.ts';
import { planClaim } from '../../../src/twoway/claim.ts';
import type { Claimed, DeliveryDependencies } from '../../../src/twoway/delivery.ts';
import { nextPart } from '../../../src/twoway/delivery.ts';
import { makeTwoWayLogs } from '../../../src/twoway/logs.ts';
import type { MemberView, TwoWayStore } from '../../../src/twoway/ports.ts';
import { makeQueueItem, type PathEdit, type QueueItem, toEditTime } from '../../../src/twoway/queue.ts';
import { makeApplyProtocol } from '../../../src/twoway/registry.ts';
import type { Sent } from '../../../src/twoway/send.ts';
import { settle } from '../../../src/twoway/settle.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

export const [KENNITALA, SUCCESSOR] = makeKennitalas(2, 50_000) as [Kennitala, Kennitala];
export const NOW = new Date('2026-11-20T10:00:00Z');
export const EDITED = new Date(NOW.getTime() - 60_000);
export const HOUR_MS = 3_600_000;
export const after = (ms: number) => new Date(NOW.getTime() + ms);
export const EMAIL = 'profile.email';
export const PHONE = 'profile.phone';
export const REACHABLE = 'profile.reachable';

export const rowOf = (email: string, version: number | null, more: object = {}) =>
  parseRegistryMember({
    id: 7,
    ssn: KENNITALA,
    name: 'Generated Person',
    contact_info: { email, phone: '5550001' },
    reachable: false,
    ...(version !== null && { version }),
    ...more,
  });
/** The member's document: the registry's word, and over it what the member has written. */
export const storedWith = (email: string, version: number | null = 3): StoredMember => {
  const content = rowOf('old@example.is', version);
  const change = { kennitala: KENNITALA, action: 'update', version, occurredAt: null, content } as const;
  const decision = decideChange(null, change, { pending: [], origin: 'registry', now: NOW });
  if (decision.kind !== 'write') throw new Error('Nothing was decided.');
  const { member, meta } = decision;
  return { member: { ...member, profile: { ...member.profile, email } }, meta };
};
/** The registry's eighth word, which the document does not show: somebody else's edit lies over it. */
export const heardLater = (): StoredMember => {
  const { member, meta } = storedWith('new@example.is', 8);
  return { member, meta: { ...meta, source_hash: 'of something else' } };
};
export const edit = (
  changes: Record<string, PathEdit>,
  more: Partial<QueueItem> = {},
  at = EDITED,
): QueueItem => ({
  ...makeQueueItem(
    {
      id: `edit-${at.getTime()}`,
      kennitala: KENNITALA,
      djangoId: 7,
      action: 'update',
      changes,
      editedAt: toEditTime(at),
      isContinuation: false,
    },
    at,
  ),
  ...more,
});
export const ofEmail: PathEdit = { oldValue: 'old@example.is', newValue: 'new@example.is' };
export const ofPhone: PathEdit = { oldValue: '5550001', newValue: '5559999' };

/** The portal as the settlement sees it: one member's document, queue and conflicts. */
export const portal = {
  view: null as unknown as MemberView,
  logs: [] as LogFields[],
  /** What was moved to another number. */
  moved: [] as readonly QueueItem[],
  /** The items that the last transaction wrote. */
  written: [] as readonly string[],
};
/** What the registry says when it is asked, in turn; the last answer stays. */
export const registry = {
  readings: [] as (ReturnType<typeof rowOf> | null | SyncError)[],
  numbers: [] as (Kennitala | null | SyncError)[],
  reads: 0,
};
export const reset = (): void => {
  Object.assign(portal, { logs: [], moved: [] });
  Object.assign(registry, { readings: [null], numbers: [null], reads: 0 });
};

const taken = <T>(from: (T | SyncError)[], n: number): T => {
  const one = from[Math.min(n, from.length - 1)];
  if (one instanceof SyncError) throw one;
  return one as T;
};
const store = {
  transact: async (_kennitala, _reads, _at, decide) => {
    const { result, items = [], member, conflicts = [] } = decide(portal.view);
    portal.written = items.map(({ id }) => id);
    portal.moved = items.filter(({ kennitala }) => kennitala !== KENNITALA);
    const written = new Map(items.map((item) => [item.id, item]));
    const all = portal.view.pending.map((item) => written.get(item.id) ?? item);
    const stored =
      member && portal.view.stored
        ? {
            member: { ...portal.view.stored.member, profile: { ...portal.view.stored.member.profile } },
            meta: member.meta,
          }
        : portal.view.stored;
    for (const [path, value] of Object.entries(member?.values ?? {}))
      Object.assign(stored?.member.profile ?? {}, { [path.replace('profile.', '')]: value });
    portal.view = {
      ...portal.view,
      stored,
      pending: all.filter(({ status, kennitala }) => status === 'pending' && kennitala === KENNITALA),
      failed: [...portal.view.failed, ...all.filter(({ status }) => status === 'failed')],
      later: [...portal.view.later, ...all.filter(({ status }) => status !== 'pending')],
      openConflicts: [...portal.view.openConflicts, ...conflicts],
    };
    return result;
  },
} as TwoWayStore;
const dependencies = (): DeliveryDependencies => ({
  store,
  registry: null as never,
  registryMembers: {
    read: async () => {
      registry.reads += 1;
      return taken(registry.readings, registry.reads - 1);
    },
    numberOf: async () => taken(registry.numbers, 0),
    isVersioned: async () => true,
  },
  protocol: makeApplyProtocol(),
  reference: async (kennitala) => (kennitala === KENNITALA ? 'm_first' : 'm_second'),
  now: () => NOW,
  random: () => 0,
  makeOwner: () => 'me',
  logs: makeTwoWayLogs((_severity, _message, fields) => portal.logs.push(fields)),
});

/** Puts these edits into the queue, and claims them. */
export const claim = (
  items: QueueItem[],
  stored: StoredMember | null = storedWith('new@example.is'),
): Claimed => {
  portal.view = {
    stored,
    state: null,
    createdAt: null,
    pending: items,
    item: null,
    later: [],
    failed: [],
    openConflicts: [],
    conflict: null,
  };
  const { result, items: claimed = [] } = planClaim(portal.view, { owner: 'me', now: NOW, isUrgent: true });
  if (result.kind !== 'claimed') throw new Error(`Nothing was claimed: ${result.kind}`);
  portal.view = {
    ...portal.view,
    pending: items.map((item) => claimed.find(({ id }) => id === item.id) ?? item),
  };
  return result.claimed;
};
export const settled = (claimed: Claimed, sent: Sent | ChangeAnswer) =>
  settle(
    { claimed, part: nextPart(claimed) },
    'status' in sent ? { answer: sent } : sent,
    new AbortController().signal,
    dependencies(),
  );
export const email = () => portal.view.stored?.member.profile.email;
export const refused = (code: string | null, message = 'no'): ChangeAnswer => ({
  status: 'refused',
  code,
  message,
});
