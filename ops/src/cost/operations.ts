import { type KennitalaList, listOfNumbers } from '../../../functions/src/domain/kennitala-list.ts';
import type { Operations } from '../../../functions/src/mirror/plan.ts';
import { type Difference, differencesOf } from '../../../functions/src/portal/reconcile/difference.ts';
import { planPortal } from '../../../functions/src/portal/reconcile/plan-portal.ts';
import type { PortalTable } from '../../../functions/src/portal/reconcile/portal-table.ts';
import { planRoster } from '../../../functions/src/roster/plan-roster.ts';

/**
 * Firestore operations of one event of the registry and of one edit of a member, with everything that follows from
 * them. Measured on the local Firestore by `ops/test/deploy/cost.test.ts`, which fails when they change. A query that
 * finds nothing is billed as one read.
 */
export const MEASURED = {
  /** An update by the registry: the member, its receipt, its pending edits; both are written. */
  event: { firestoreReads: 3, firestoreWrites: 2 },
  /**
   * A hint of a registry without the companion app that is confirmed at its first look: kept; read, and the member with it;
   * then written in a transaction that reads the member, their pending edits and the hint, and takes the hint away.
   */
  hint: { firestoreReads: 5, firestoreWrites: 2, firestoreDeletes: 1 },
  /** Of a hint, a look that meets the registry before its commit: the same is read, and nothing written. */
  look: { firestoreReads: 5, firestoreWrites: 0 },
  /** Taken into the queue, claimed, delivered and closed, after the portal's own write. */
  edit: { firestoreReads: 10, firestoreWrites: 4 },
} as const satisfies Record<string, Partial<Operations>>;

/**
 * Calls of our functions that one of these makes: the webhook's, and one for each document written that a function waits
 * for. All but the first follow of a hint end at once.
 */
export const INVOCATIONS = { event: 2, hint: 4, look: 0 } as const satisfies Partial<
  Record<keyof typeof MEASURED, number>
>;

/** The record and the lease of a run that changes nothing. */
const RECORDED_RUN: Partial<Operations> = { firestoreReads: 1, firestoreWrites: 4 };

/** What one run of the roster makes, by its own plan: a list of this size, of which so many have changed. */
export const rosterRun = (members: number, joined: number): Operations => {
  const held = listOf(members);
  const { forecast } = planRoster({
    list: { kennitalas: listOf(members + joined), findings: NOTHING_FOUND },
    target: { generation: '1', held: { kennitalas: held, sha256: '', unreadable: 0 } },
    lastMemberCount: members,
    abandonedPublished: null,
  });
  return forecast;
};

/** A refresh of the list after a join: its request is written, asks for the last success, and is deleted. */
export const rosterRefresh = (members: number): Operations => {
  const run = rosterRun(members, 1);
  return {
    ...run,
    firestoreReads: run.firestoreReads + 1,
    firestoreWrites: run.firestoreWrites + 1,
    firestoreDeletes: 1,
  };
};

/** What one reconcile makes, by its own plan: each member is read, and so many differ. */
export const portalRun = (members: number, differing: number): Operations => {
  const { forecast } = planPortal({
    comparison: {
      received: members,
      differences: differencesOf(Array.from({ length: differing }, (_, row) => differenceOf(row))),
      kept: null,
      quarantined: [],
      changed: differing,
      noted: 0,
      blanked: {},
      counts: {
        unchanged: members - differing,
        placeholders: 0,
        duplicates: 0,
        legalEntities: 0,
        impossibleDates: 0,
        ahead: 0,
        takenBack: 0,
        overtaken: 0,
        editsUnderWay: 0,
      },
      digest: '',
    },
    removals: differencesOf(),
    removalsWithheld: 0,
    table: tableOf(members),
    strangers: 0,
    lastMemberCount: members,
    unfinished: null,
    activeOutside: null,
    announcedLately: new Set(),
  });
  return forecast;
};

export const registerRun = (): Partial<Operations> => RECORDED_RUN;

/** A proof that finds all equal: its record before and after, one sum and one count of a thousand index entries a read. */
export const proofRun = (members: number): Partial<Operations> => ({
  firestoreReads: 1 + 2 * Math.max(1, Math.ceil(members / 1_000)),
  firestoreWrites: 1,
  storageClassB: 1,
});

/** The states of three mirrors, six counts, and a month of the reconcile's records. */
export const WATCH: Partial<Operations> = { firestoreReads: 40 };

/** Two writes of its record; what is due and what is old are two queries. */
export const SWEEP: Partial<Operations> = { firestoreReads: 2, firestoreWrites: 2 };

/** Consecutive system numbers, which belong to no person. */
const FIRST = 8_000_000_000;
const listOf = (length: number): KennitalaList =>
  listOfNumbers(Float64Array.from({ length }, (_, row) => FIRST + row));

const NOTHING_FOUND = {
  received: 0,
  quarantined: 0,
  placeholders: 0,
  duplicates: 0,
  reformatted: 0,
  systemNumbers: 0,
  legalEntities: 0,
  impossibleDates: 0,
  quarantinedAt: [],
};

const [ANY] = listOf(1);

const differenceOf = (row: number): Difference => {
  if (ANY === undefined) throw new Error('A list of one has no first entry.');
  return { kennitala: ANY, kind: 'update', digest: String(row), ifState: null, isMissed: true };
};

/** For a forecast only the size of the portal matters. */
const tableOf = (members: number): PortalTable => ({
  length: members,
  active: members,
  find: () => null,
  holds: () => true,
  markSeen: () => true,
  state: () => null,
  unseen: () => [],
  digest: () => '',
});
