import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { MemberPage, MemberReader } from '../../../src/registry/ports.ts';
import { NESTED } from '../../domain/member/support/wire-members.ts';

/**
 * signed  the registry signs its events and counts versions
 * hinting it counts versions, but its events are only believed to hint at something
 * plain   neither: every event is a hint, and what is read has no version
 */
export type RegistryKind = 'signed' | 'hinting' | 'plain';

/** What of a member changes in a history; everything else is the same in all of them. */
export interface Content {
  readonly name: string;
  readonly email: string | null;
  readonly reachable: boolean;
  readonly local_address: typeof NESTED.local_address | null;
  readonly unions: readonly { readonly name: string }[];
}

/** One event: its id, and the body that the registry sends. */
export interface ModelChange {
  readonly id: string;
  readonly body: string;
}

/** The registry as this test believes in it: rows, and one growing number that is each change's version. */
export interface ModelRegistry extends MemberReader {
  readonly kind: RegistryKind;
  /** Makes what is asked for, or what is possible: nobody is created twice, and only a live row is deleted. */
  change(kennitala: Kennitala, content: Content, wantsDelete: boolean, at: Date): ModelChange;
  /** Every member that there ever was, as the registry spells it now; null: deleted. */
  rows(): ReadonlyMap<Kennitala, object | null>;
  /** One page of one member, at this moment; only of members changed since then, when that is given. */
  page(number: number, modifiedSince: Date | undefined): MemberPage;
  /** The number of the last change. */
  readonly changes: number;
  /** The number of the change by which this member last joined or left; 0: never was a member. */
  membershipChange(kennitala: Kennitala): number;
}

interface Row {
  readonly wire: object | null;
  readonly at: Date;
  readonly membershipChange: number;
}

export const makeModelRegistry = (kind: RegistryKind): ModelRegistry => {
  const rows = new Map<Kennitala, Row>();
  let changes = 0;
  const spell = (kennitala: Kennitala, content: Content): object => {
    const { contact_info, version: _version, ...rest } = NESTED;
    const { email, ...said } = content;
    const wire = { ...rest, ...said, ssn: kennitala, contact_info: { ...contact_info, email } };
    return kind === 'plain' ? wire : { ...wire, version: changes };
  };
  return {
    kind,
    change: (kennitala, content, wantsDelete, at) => {
      changes += 1;
      const row = rows.get(kennitala);
      const isLive = (row?.wire ?? null) !== null;
      const wire = isLive && wantsDelete ? null : spell(kennitala, content);
      const staysIn = isLive && wire !== null;
      rows.set(kennitala, { wire, at, membershipChange: staysIn ? (row?.membershipChange ?? 0) : changes });
      const event = {
        kennitala,
        action: wire === null ? 'delete' : isLive ? 'update' : 'create',
        ...(wire === null ? {} : { data: wire }),
        ...(kind === 'plain' ? {} : { version: changes }),
        occurred_at: at.toISOString(),
      };
      return { id: `msg_${changes}`, body: JSON.stringify(event) };
    },
    rows: () => new Map([...rows].map(([kennitala, { wire }]) => [kennitala, wire])),
    page: (number, since) => {
      const live = [...rows.values()].filter(({ wire }) => wire !== null);
      const found = since === undefined ? live : live.filter(({ at }) => at >= since);
      return { members: found.slice(number, number + 1).map(({ wire }) => wire), count: found.length };
    },
    get changes() {
      return changes;
    },
    membershipChange: (kennitala) => rows.get(kennitala)?.membershipChange ?? 0,
    readMember: async (kennitala) => rows.get(kennitala)?.wire ?? null,
  };
};
