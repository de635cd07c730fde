import { hasImpossibleDate, isLegalEntity, isPlaceholder, type Kennitala } from '../../domain/kennitala.ts';
import { rowOf } from '../../domain/member/field-table.ts';
import type { FieldDifference } from '../../domain/member/fields.ts';
import { isNewNumber } from '../../domain/member/kept-values.ts';
import { type ParsedMember, parseRegistryMember } from '../../domain/member/parse-registry-member.ts';
import { applyPatch, isSameValue, sourceHash } from '../../domain/member/patch.ts';
import { whoIs } from '../../domain/member/wire.ts';
import { asSyncError, isSyncError } from '../../lib/errors.ts';
import { counted } from '../../lib/log.ts';
import type { RunWarning } from '../../mirror/mirror.ts';
import type { MemberToDecide, PortalIndex } from '../ports.ts';
import { makeKennitalaSet, makeSetDigest } from './compact.ts';
import { decideMember } from './decide-member.ts';
import { type Differences, makeDifferences, type PlannedWrite, toPlannedWrite } from './difference.ts';
import type { PortalTable } from './portal-table.ts';

/**
 * Above so many, the second reading of the pages costs less than the memory. A write takes about 4 kB, as 55 members of the table
 * do, so a large portal leaves room for fewer: 11,960 with 2,216 members, 10,182 with 100,000.
 */
export const keptBeside = (rows: number): number => Math.max(1_000, 12_000 - Math.floor(rows / 55));

const NOT_THERE: MemberToDecide = { stored: null, state: null, writtenAt: null, pending: [] };
const NONE: ReadonlyMap<Kennitala, MemberToDecide> = new Map();

export interface ComparisonDependencies {
  readonly table: PortalTable;
  readonly index: PortalIndex;
  readonly now: () => Date;
  /** How many writes may be kept in memory; by default as many as leave room for the table. */
  readonly keptWrites?: number | undefined;
  /** Whose version in the portal counts for nothing. */
  readonly takesWordOf?: TakesWordOf | undefined;
  /** The table lacks documents that are there, such as tombstones: who is not in it is asked for by name. */
  readonly isScoped?: boolean;
  /** The portal had nobody when it was planned, so nobody has a former number in it. */
  readonly isFirstLoad?: boolean;
  /** Where what the registry says is added to, when several comparisons make one. */
  readonly digest?: ReturnType<typeof makeSetDigest>;
}

/** Of whom an operator had the registry's word taken. */
export type TakesWordOf = 'all' | Kennitala | null;

export const takesWord = (of: TakesWordOf | undefined, kennitala: Kennitala): boolean =>
  of === 'all' || of === kennitala;

/** What the pages of the registry said against what the portal held. */
export interface Comparison {
  readonly received: number;
  readonly differences: Differences;
  /** The writes themselves while they are few; null when they have to be made again from the pages. */
  readonly kept: ReadonlyMap<Kennitala, PlannedWrite> | null;
  readonly quarantined: readonly Quarantined[];
  /** Members whose content would change. */
  readonly changed: number;
  /** Members of whom the metadata alone take note of what the registry says now and did not say before. */
  readonly noted: number;
  readonly blanked: Readonly<Record<string, number>>;
  readonly counts: ComparisonCounts;
  /** Of everything that the registry said, in whatever order it came. */
  readonly digest: string;
}

export interface ComparisonCounts {
  unchanged: number;
  placeholders: number;
  /** Further members with a number that an earlier one had. */
  duplicates: number;
  /** Members whose number is a legal entity's, or has a day that no month has. */
  legalEntities: number;
  impossibleDates: number;
  /** Members of whom the portal has a newer version than the registry shows. */
  ahead: number;
  /** Such members of whom the registry's word is taken all the same. */
  takenBack: number;
  /** Members whose document was written since the portal was read. */
  overtaken: number;
  /** Members whose own last edit may still be on its way. */
  editsUnderWay: number;
}

const COUNTED_AS = {
  equal: 'unchanged',
  ahead: 'ahead',
  'edit-under-way': 'editsUnderWay',
} as const satisfies Record<string, keyof ComparisonCounts>;

/** Compares page after page. Only what differs is remembered, and only differing documents are read again. */
export const makeComparison = ({
  table,
  index,
  now,
  keptWrites = keptBeside(table.length),
  takesWordOf,
  isScoped = false,
  isFirstLoad = table.length === 0 && !isScoped,
  digest = makeSetDigest(),
}: ComparisonDependencies) => {
  const counts: ComparisonCounts = {
    unchanged: 0,
    placeholders: 0,
    duplicates: 0,
    legalEntities: 0,
    impossibleDates: 0,
    ahead: 0,
    takenBack: 0,
    overtaken: 0,
    editsUnderWay: 0,
  };
  const differences = makeDifferences();
  const quarantined: Quarantined[] = [];
  const blanked: Record<string, number> = {};
  const newcomers = makeKennitalaSet();
  let differing = 0;
  let kept: Map<Kennitala, PlannedWrite> | null = new Map();
  let received = 0;
  let changed = 0;
  let noted = 0;

  const keep = (write: PlannedWrite): void => {
    differences.add(write.difference);
    differing += 1;
    if (differing > keptWrites) kept = null;
    kept?.set(write.kennitala, write);
  };

  const judge = (said: ParsedMember, seen: MemberToDecide): void => {
    const verdict = decideMember(seen, said, now(), takesWord(takesWordOf, said.kennitala));
    if (!('member' in verdict)) {
      counts[COUNTED_AS[verdict.kind]] += 1;
      return;
    }
    if (verdict.isAhead) counts.takenBack += 1;
    if (verdict.kind === 'update' && verdict.differences.length > 0) changed += 1;
    if (verdict.isNote) noted += 1;
    countBlanked(blanked, verdict.differences);
    keep(toPlannedWrite(said.kennitala, verdict, seen));
  };

  /** Answers the member when there is something to decide. */
  const look = (said: ParsedMember): ParsedMember | null => {
    const hash = sourceHash(applyPatch(null, said));
    const row = table.find(said.kennitala);
    const isFirst = row === null ? newcomers.add(said.kennitala) : table.markSeen(row);
    if (!isFirst) {
      counts.duplicates += 1;
      return null;
    }
    if (isLegalEntity(said.kennitala)) counts.legalEntities += 1;
    if (hasImpossibleDate(said.kennitala)) counts.impossibleDates += 1;
    digest.add(saidText(said, hash));
    if (row === null) return said;
    if (!table.holds(row, said, hash)) return said;
    counts.unchanged += 1;
    return null;
  };

  const readPage = (members: readonly unknown[]): ParsedMember[] =>
    members.flatMap((json) => {
      const position = received;
      received += 1;
      const said = tryParse(json, position);
      if ('reason' in said) {
        if (isBrokenPlaceholder(said)) counts.placeholders += 1;
        else quarantine(said);
        return [];
      }
      if (isPlaceholder(said.kennitala)) {
        counts.placeholders += 1;
        return [];
      }
      const open = look(said);
      return open === null ? [] : [open];
    });

  const quarantine = (entry: Quarantined): void => {
    quarantined.push(entry);
    const row = entry.kennitala === null ? null : table.find(entry.kennitala);
    if (row !== null) table.markSeen(row);
  };

  /** An empty portal has nothing to follow anybody, and its first load would ask about all of them. */
  const formerOf: (
    open: readonly ParsedMember[],
    seen: ReadonlyMap<Kennitala, MemberToDecide>,
  ) => ReturnType<PortalIndex['former']> = async (open, seen) => {
    const asked = open.flatMap(({ kennitala, djangoId }) =>
      isNewNumber(seen.get(kennitala)?.stored ?? null, djangoId) ? [{ kennitala, djangoId }] : [],
    );
    return isFirstLoad || asked.length === 0 ? new Map() : index.former(asked);
  };

  return {
    addPage: async (members: readonly unknown[]): Promise<void> => {
      const open = readPage(members);
      const held = open.filter(({ kennitala }) => isScoped || table.find(kennitala) !== null);
      const seen = held.length === 0 ? NONE : await index.read(held.map(({ kennitala }) => kennitala));
      const former = await formerOf(open, seen);
      for (const said of open) {
        const row = table.find(said.kennitala);
        const document = seen.get(said.kennitala) ?? NOT_THERE;
        if (row !== null && document.state !== table.state(row)) counts.overtaken += 1;
        else judge(said, { ...document, former: former.get(said.kennitala) });
      }
    },
    finish: (): Comparison => ({
      received,
      differences: differences.finish(),
      kept,
      quarantined,
      changed,
      noted,
      blanked,
      counts,
      digest: digest.finish(),
    }),
  };
};

/** All that the registry says of a member, for the digest of everybody. */
export const saidText = ({ version, djangoId, digest }: ParsedMember, hash: string): string =>
  `${hash} ${version} ${djangoId} ${digest?.a} ${digest?.b}`;

const tryParse = (json: unknown, position: number): ParsedMember | Quarantined => {
  try {
    return parseRegistryMember(json);
  } catch (cause) {
    return toQuarantined(json, position, cause);
  }
};

const countBlanked = (blanked: Record<string, number>, differences: readonly FieldDifference[]): void => {
  for (const { path, newValue } of differences) {
    if (path !== 'membership.status' && isSameValue(path, newValue, rowOf(path).empty)) {
      blanked[path] = (blanked[path] ?? 0) + 1;
    }
  }
};

/** A member of the registry who cannot be read: nothing is written about them, and nothing deleted. */
export interface Quarantined {
  /** Place on the pages, from 0. */
  readonly position: number;
  /** Null when not even the number can be read. */
  readonly kennitala: Kennitala | null;
  readonly djangoId: number | null;
  /** Names the field, never the value. */
  readonly reason: string;
}

const NAMED = 20;

/** @throws what is not about the member. */
const toQuarantined = (json: unknown, position: number, cause: unknown): Quarantined => {
  if (!isSyncError(cause, 'member_invalid')) throw asSyncError(cause);
  return { position, ...whoIs(json), reason: cause.message };
};

/** A placeholder is no member, so a broken one is nothing to look at. */
const isBrokenPlaceholder = ({ kennitala }: Quarantined): boolean =>
  kennitala !== null && isPlaceholder(kennitala);

/** Whom to look at, and why: by opaque reference, or by the place on the pages. */
export const warnOfQuarantine = async (
  quarantined: readonly Quarantined[],
  reference: (kennitala: Kennitala) => Promise<string>,
): Promise<RunWarning[]> => {
  if (quarantined.length === 0) return [];
  const named = await Promise.all(
    quarantined.slice(0, NAMED).map(async ({ kennitala, position, reason }) => {
      const who = kennitala === null ? `number ${position} of the pages` : await reference(kennitala);
      return `${who}: ${reason}`;
    }),
  );
  const more = quarantined.length > NAMED ? ` And ${quarantined.length - NAMED} more.` : '';
  return [
    {
      code: 'quarantined_members',
      message: `${counted(quarantined.length, 'member')} cannot be read: left as they are. ${named.join(' ')}${more}`,
    },
  ];
};
