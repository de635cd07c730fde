import { hash } from 'node:crypto';
import { makeMemberPages } from '../../functions/src/adapters/django/read-members.ts';
import type { Kennitala } from '../../functions/src/domain/kennitala.ts';
import { decideChange } from '../../functions/src/domain/member/decide-change.ts';
import { parseRegistryMember } from '../../functions/src/domain/member/parse-registry-member.ts';
import type { MemberToDecide, PortalDocument } from '../../functions/src/portal/ports.ts';
import type { PortalMirrorDependencies } from '../../functions/src/portal/reconcile/portal-mirror.ts';

/** Consecutive system numbers, which belong to no person. */
const FIRST = 8_000_000_000;
const NEVER = 0;
const WRITTEN_AT = new Date('2026-01-01T00:00:00Z');

/** As the time of an update, microseconds after the year began. */
const stateOf = (micros: number): string =>
  `${1_767_225_600 + Math.floor(micros / 1_000_000)}.${(micros % 1_000_000) * 1_000}`;

/**
 * A registry and a portal of so many members, which hold no more than each one's version: what they answer is made when it is
 * asked for, as JSON that is read as the registry's is. A million documents do not fit into a local Firestore; what is measured
 * is the reconcile itself, in the memory that a function has. They count what Firestore and the registry would be asked.
 */
export const makePortalModel = (members: number, { isLoaded }: { readonly isLoaded: boolean }) => {
  const registry = new Uint8Array(members).fill(1);
  const portal = new Uint8Array(members).fill(isLoaded ? 1 : NEVER);
  const counts = { documents: 0, reads: 0, writes: 0, pages: 0 };
  let whenWritten = { writes: Number.POSITIVE_INFINITY, act: (): void => undefined };

  const wireOf = (row: number, version: number): object => ({
    id: row + 1,
    ssn: String(FIRST + row),
    name: `Nafn ${row} Útgáfa ${version}`,
    birthday: '1980-02-03',
    gender: (row % 3) + 1,
    housing_situation: row % 6,
    reachable: row % 2 === 0,
    groupable: row % 3 === 0,
    date_joined: '2020-01-15T10:30:00Z',
    contact_info: {
      email: `felagi.${row}@postur.example`,
      phone: '5551234',
      foreign_phone: '',
      facebook: '',
    },
    local_address: {
      street: 'Laugavegur',
      number: row % 200,
      letter: '',
      postal_code: 101,
      city: 'Reykjavík',
    },
    foreign_addresses: [],
    unions: [],
    titles: [],
    version,
    digest: hash('sha256', `${row} ${version}`),
  });

  const seen = (row: number): MemberToDecide => {
    const version = portal[row] ?? NEVER;
    if (version === NEVER) return { stored: null, state: null, writtenAt: null, pending: [] };
    const content = parseRegistryMember(wireOf(row, version));
    const change = {
      kennitala: content.kennitala,
      action: 'update' as const,
      version,
      occurredAt: null,
      content,
    };
    const decision = decideChange(null, change, { pending: [], origin: 'reconcile', now: WRITTEN_AT });
    if (decision.kind !== 'write') throw new TypeError('A first word writes its member.');
    const { member, meta } = decision;
    return {
      stored: { member, meta },
      state: stateOf(row * 256 + version),
      writtenAt: WRITTEN_AT,
      pending: [],
    };
  };

  const rowOf = (kennitala: Kennitala): number => Number(kennitala) - FIRST;

  const stores: Omit<PortalMirrorDependencies, 'reference' | 'now'> = {
    pages: makeMemberPages(
      {
        getJson: async (_route, schema, options) => {
          const query = options?.query ?? {};
          counts.pages += 1;
          const [page, size] = [Number(query['page']), Number(query['page_size'])];
          const rows = Array.from(
            { length: Math.min(size, members - (page - 1) * size) },
            (_, n) => (page - 1) * size + n,
          );
          const isLast = page * size >= members;
          const text = JSON.stringify({
            count: members,
            next: isLast ? null : `http://127.0.0.1:9/api/members/?page=${page + 1}&page_size=${size}`,
            results: rows.map((row) => wireOf(row, registry[row] ?? 1)),
          });
          return schema.parse(JSON.parse(text));
        },
      },
      { baseUrl: 'http://127.0.0.1:9' },
    ),
    registry: { readMember: async () => null },
    index: {
      async *documents(): AsyncGenerator<PortalDocument> {
        for (let row = 0; row < members; row += 1) {
          const { stored, state } = seen(row);
          if (stored === null) continue;
          counts.documents += 1;
          yield { kennitala: stored.member.profile.kennitala, stored, state };
        }
      },
      read: async (kennitalas) => {
        counts.reads += kennitalas.length;
        return new Map(kennitalas.map((kennitala) => [kennitala, seen(rowOf(kennitala))]));
      },
      former: async () => new Map(),
    },
    writer: {
      write: async (writes, { signal, onSettled }) => {
        for await (const write of writes) {
          const row = rowOf(write.kennitala);
          const isAsRead = seen(row).state === write.ifState;
          if (isAsRead) {
            portal[row] = write.meta.source_version ?? NEVER;
            counts.writes += 1;
            if (counts.writes === whenWritten.writes) whenWritten.act();
          }
          onSettled(write, isAsRead ? 'written' : 'overtaken');
          if (counts.writes % 500 === 0) await new Promise(setImmediate);
          if (signal.aborted) return;
        }
      },
    },
    rosterRefresh: { request: async () => undefined },
    hints: { forgetBefore: async () => 0 },
  };

  return {
    stores,
    counts,
    /** Aborted after so many more writes. */
    overAfter: (writes: number): AbortSignal => {
      const controller = new AbortController();
      whenWritten = { writes: counts.writes + writes, act: () => controller.abort() };
      return controller.signal;
    },
    changeOnePercent: (): void => {
      for (let row = 0; row < members; row += 100) registry[row] = 2;
    },
    isEqual: (): boolean => registry.every((version, row) => portal[row] === version),
  };
};
