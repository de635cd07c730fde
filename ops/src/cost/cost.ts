import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LINE_BYTES } from '../../../functions/src/domain/kennitala-list.ts';
import { makeForecast, type Operations } from '../../../functions/src/mirror/plan.ts';
import { DAYS_KEPT, VERSIONS_KEPT } from '../../../functions/src/proof/check-versions.ts';
import {
  INVOCATIONS,
  MEASURED,
  portalRun,
  proofRun,
  registerRun,
  rosterRefresh,
  rosterRun,
  SWEEP,
  WATCH,
} from './operations.ts';

export const COST_FILE = fileURLToPath(new URL('../../../docs/cost.md', import.meta.url));
const SIZES = [2_216, 10_000, 100_000, 1_000_000] as const;

/** What a month is taken to bring, as shares of the members. */
const A_MONTH = { joinsAndLeaves: 0.01, otherChanges: 0.03, ownEdits: 0.01, missedEvents: 0.001 } as const;
const DAYS = 30;
const WEEKS = DAYS / 7;
/** Of Firestore, each day: https://cloud.google.com/firestore/pricing */
const FREE_A_DAY: Partial<Operations> = {
  firestoreReads: 50_000,
  firestoreWrites: 20_000,
  firestoreDeletes: 20_000,
};

type Kind = keyof Operations;
const KINDS: readonly (readonly [Kind, string])[] = [
  ['firestoreReads', 'Firestore reads'],
  ['firestoreWrites', 'Firestore writes'],
  ['firestoreDeletes', 'Firestore deletes'],
  ['storageClassA', 'Storage, class A'],
  ['storageClassB', 'Storage, class B'],
];

interface Activity {
  readonly name: string;
  /** Times a month. */
  readonly times: number;
  readonly each: Partial<Operations>;
}

/** Everything that runs by itself in a month. */
export const activitiesOf = (members: number): Activity[] => {
  const joins = Math.ceil(members * A_MONTH.joinsAndLeaves);
  const changes = Math.ceil(members * A_MONTH.otherChanges);
  const edits = Math.ceil(members * A_MONTH.ownEdits);
  const missed = Math.ceil((members * A_MONTH.missedEvents) / DAYS);
  return [
    { name: 'roster, weekly', times: WEEKS, each: withExpiry(rosterRun(members, 0), 1) },
    { name: 'roster, after a join or leave', times: joins, each: withExpiry(rosterRefresh(members), 2) },
    { name: 'events of the registry', times: joins + changes, each: withExpiry(MEASURED.event, 1) },
    { name: 'reconcile, nightly', times: DAYS, each: withExpiry(portalRun(members, missed), 1) },
    { name: "members' own edits", times: edits, each: withExpiry(MEASURED.edit, 1) },
    { name: 'sweep of the way back, nightly', times: DAYS, each: withExpiry(SWEEP, 1) },
    { name: 'register, hourly', times: DAYS * 24, each: withExpiry(registerRun(), 1) },
    { name: 'proof, every ten minutes', times: DAYS * 24 * 6, each: proofRun(members) },
    { name: 'proof, after each run', times: WEEKS + joins + DAYS + DAYS * 24, each: proofRun(members) },
    { name: 'watch, four times a day', times: DAYS * 4, each: WATCH },
    { name: 'walk over the record, nightly', times: DAYS, each: walk(members) },
  ];
};

/** One of each week and of each join or leave, as long as the bucket's lifecycle keeps them. */
const versionsOf = (members: number): number =>
  Math.min(
    VERSIONS_KEPT,
    Math.ceil(DAYS_KEPT / 7 + (Math.ceil(members * A_MONTH.joinsAndLeaves) * DAYS_KEPT) / DAYS),
  );

/** A year of records, each with its lists if it has any, and every kept version of the list. */
const walk = (members: number): Partial<Operations> => {
  const lists = 365 / 7 + 12 * Math.ceil(members * A_MONTH.joinsAndLeaves);
  return {
    // The register's runs, the reconcile's and the sweeps; the roster's, with a document of who came and went, by its name and itself.
    firestoreReads: Math.ceil(365 * (24 + 1 + 1) + 3 * lists),
    firestoreWrites: 1,
    storageClassB: 1 + versionsOf(members),
  };
};

/** What is written with an expiry is deleted later, which is billed as well. */
const withExpiry = (each: Partial<Operations>, documents: number): Partial<Operations> => ({
  ...each,
  firestoreDeletes: (each.firestoreDeletes ?? 0) + documents,
});

const totalOf = (activities: readonly Activity[], kind: Kind): number =>
  activities.reduce((sum, { times, each }) => sum + times * (each[kind] ?? 0), 0);

/** US dollars a month, and what is left of it after the free daily quota. */
const costOf = (activities: readonly Activity[]) => {
  const operations = KINDS.map(([kind]) => [kind, totalOf(activities, kind)] as const);
  const beyondFree = operations.map(
    ([kind, count]) => [kind, DAYS * Math.max(0, count / DAYS - (FREE_A_DAY[kind] ?? 0))] as const,
  );
  return {
    all: makeForecast(Object.fromEntries(operations)).costUsd,
    billed: makeForecast(Object.fromEntries(beyondFree)).costUsd,
  };
};

const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const row = (name: string, cells: readonly string[]): string => `| ${[name, ...cells].join(' | ')} |`;

/** The tables of `docs/cost.md`. */
export const makeCostTables = (): string => {
  const bySize = SIZES.map((members) => ({ members, activities: activitiesOf(members) }));
  const costs = bySize.map(({ activities }) => costOf(activities));
  const names = bySize[0]?.activities.map(({ name }) => name) ?? [];
  const header = (what: string) => [
    row(
      what,
      SIZES.map((members) => `${number.format(members)} members`),
    ),
    `|---|${'---:|'.repeat(SIZES.length)}`,
  ];
  return [
    ...header('a month, all together'),
    ...KINDS.map(([kind, title]) =>
      row(
        title,
        bySize.map(({ activities }) => number.format(totalOf(activities, kind))),
      ),
    ),
    row(
      'US dollars, nothing free',
      costs.map(({ all }) => dollars.format(all)),
    ),
    row(
      '**US dollars after the free quota**',
      costs.map(({ billed }) => `**${dollars.format(billed)}**`),
    ),
    row(
      'older versions of the list',
      SIZES.map((members) => number.format(versionsOf(members))),
    ),
    row(
      'the list with them, MB',
      SIZES.map((members) => number.format((members * LINE_BYTES * (1 + versionsOf(members))) / 1e6)),
    ),
    '',
    ...header('reads / writes of Firestore a month'),
    ...names.map((name, index) =>
      row(
        name,
        bySize.map(({ activities }) => {
          const one = activities.slice(index, index + 1);
          return `${number.format(totalOf(one, 'firestoreReads'))} / ${number.format(totalOf(one, 'firestoreWrites'))}`;
        }),
      ),
    ),
    '',
    row('one of these', ['Firestore reads', 'writes', 'deletes', 'calls of our functions']),
    `|---|${'---:|'.repeat(4)}`,
    ...ONE_EACH.map(([what, kind]) => {
      const { firestoreReads, firestoreWrites, firestoreDeletes }: Partial<Operations> = MEASURED[kind];
      return row(
        what,
        [firestoreReads, firestoreWrites, firestoreDeletes, INVOCATIONS[kind]].map((count) =>
          String(count ?? 0),
        ),
      );
    }),
  ].join('\n');
};

const ONE_EACH = [
  ['an event of the companion app', 'event'],
  ['a hint of a registry without it, confirmed at the first look', 'hint'],
  ['each further look, while the registry has not committed', 'look'],
] as const;

const BEGIN = '<!-- computed: npm run cost -->';
const END = '<!-- end of what is computed -->';

/** The page with its tables as they should be. Throws when it does not say where they stand. */
export const withTables = (page: string, tables: string): string => {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`docs/cost.md lacks the lines ${BEGIN} and ${END}.`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${tables}\n\n${page.slice(to)}`;
};

if (import.meta.main) {
  const page = await readFile(COST_FILE, 'utf8');
  await writeFile(COST_FILE, withTables(page, makeCostTables()));
}
