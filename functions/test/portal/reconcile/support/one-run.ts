import type { Kennitala } from '../../../../src/domain/kennitala.ts';
import { decideChange } from '../../../../src/domain/member/decide-change.ts';
import { parseRegistryMember } from '../../../../src/domain/member/parse-registry-member.ts';
import type { RunContext } from '../../../../src/mirror/mirror.ts';
import {
  makePortalMirror,
  type PortalMirrorDependencies,
} from '../../../../src/portal/reconcile/portal-mirror.ts';
import type { MemberPagesOptions } from '../../../../src/registry/ports.ts';
import { makeKennitalas } from '../../../support/kennitalas.ts';
import { type HeldDocument, makeMemoryPortal } from './memory-portal.ts';

export const PEOPLE = makeKennitalas(30, 74_000);
export const [ONE, TWO, THREE, FOUR] = PEOPLE as [Kennitala, Kennitala, Kennitala, Kennitala];
export const NOW = new Date('2026-11-20T04:00:00Z');
export const MINUTE_MS = 60_000;
export const ago = (ms: number) => new Date(NOW.getTime() - ms);

export type Row = Record<string, unknown> & { readonly ssn: string };
export const row = (ssn: string, more: object = {}): Row => ({
  id: PEOPLE.indexOf(ssn as Kennitala) + 1,
  ssn,
  name: 'Generated Person',
  version: 3,
  contact_info: { email: 'a@b.is', phone: '5551234' },
  ...more,
});
/** A document as a reconcile left it. */
export const held = (said: Row, isActive = true): HeldDocument => {
  const content = parseRegistryMember(said);
  const change = {
    kennitala: content.kennitala,
    action: 'update',
    version: content.version,
    occurredAt: null,
    content,
  } as const;
  const decision = decideChange(null, change, { pending: [], origin: 'reconcile', now: NOW });
  if (decision.kind !== 'write') throw new Error('Nothing was decided.');
  const { member, meta } = decision;
  if (isActive) return { member, meta, pending: [] };
  const membership = { ...member.membership, status: 'inactive' as const };
  return { member: { ...member, membership }, meta: { ...meta, deleted_at: NOW }, pending: [] };
};

/** Both sides of one run, and what it asked and told. */
export const world = {
  rows: [] as Row[],
  documents: new Map<Kennitala, HeldDocument>(),
  /** Whom the registry changed lately, when it is asked for them; null where it knows no such question. */
  lately: null as { readonly members: readonly object[]; readonly count: number | null } | Error | null,
  asked: [] as (MemberPagesOptions | string)[],
  refreshes: 0,
  /** Until when hints were forgotten. */
  forgotten: [] as Date[],
};
export const reset = (): void => {
  Object.assign(world, {
    rows: [],
    documents: new Map(),
    lately: null,
    asked: [],
    refreshes: 0,
    forgotten: [],
  });
};
export const holds = (...all: (readonly [Row, boolean?])[]) => {
  for (const [said, isActive] of all) world.documents.set(said.ssn as Kennitala, held(said, isActive));
};

const openMirror = (given: Partial<PortalMirrorDependencies> = {}, pageSize = 2) => {
  const portal = makeMemoryPortal(world.documents);
  const mirror = makePortalMirror({
    pages: {
      pages: async function* (options) {
        world.asked.push(options);
        if (options.modifiedSince !== undefined && world.lately !== null) {
          if (world.lately instanceof Error) throw world.lately;
          yield world.lately;
          return;
        }
        const first = options.from?.before ?? 0;
        for (let from = first; from < world.rows.length; from += pageSize) {
          const place = { query: { page: String(from / pageSize + 1) }, before: from };
          yield { members: world.rows.slice(from, from + pageSize), count: world.rows.length, place };
        }
      },
    },
    registry: {
      readMember: async (kennitala) => {
        world.asked.push(kennitala);
        return world.rows.find(({ ssn }) => ssn === kennitala) ?? null;
      },
    },
    index: portal.index,
    writer: portal.writer,
    rosterRefresh: {
      request: async () => {
        world.refreshes += 1;
      },
    },
    hints: {
      forgetBefore: async (before) => {
        world.forgotten.push(before);
        return 0;
      },
    },
    reference: async (kennitala) => `m_${PEOPLE.indexOf(kennitala)}`,
    now: () => NOW,
    ...given,
  });
  return { mirror, portal };
};
const context = (more: Partial<RunContext> = {}): RunContext => ({
  runId: 'run-1',
  startedAt: NOW,
  lastSuccess: null,
  unfinished: null,
  abandonedRunId: null,
  signal: new AbortController().signal,
  ...more,
});
export const succeeded = (memberCount: number) => ({ lastSuccess: { memberCount } as never });
export const plan = async (more: Partial<RunContext> = {}, given: Partial<PortalMirrorDependencies> = {}) => {
  const { mirror, portal } = openMirror(given);
  const at = context(more);
  const source = await mirror.fetch(at);
  const made = await mirror.plan(source, at);
  return { mirror, portal, source, made, at, apply: () => mirror.apply(made, source, at) };
};
