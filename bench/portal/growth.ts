import { startFirestore } from '../../local/src/firestore/server.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';
import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { bundle } from '../lib/bundle.ts';
import type { ModelRun } from './reconcile-model.ts';
import { runAlone } from './run-alone.ts';

const SIZES = [2_216, 100_000, 1_000_000];
/** All situations of it take the better part of an hour, so without `--sizes` only the one that needs the most memory is measured. */
const HOURLONG = 1_000_000;
/** What differs in fewer is kept in memory, and no cursor is needed. */
const SMALLEST_BY_CURSOR = 20_000;
/** Each has the time to write such a part. */
const RUNS = 4;
const PAGE = 500;
/** 600 writes are under way when the time is up, and the page of the cursor counts once they have settled. */
const PAGES_UNSETTLED = 2;
/** Of the registry also the page of the cursor, to see that it is still so and to go on from it, and one ahead of each reading. */
const PAGES_READ_AGAIN = PAGES_UNSETTLED + 4;
const MIB_AT_MOST = 256;
const PROJECT = 'demo-ekklesia';

const SITUATIONS = ['load', 'load in several runs', 'unchanged', '1% changed'] as const;
type Situation = (typeof SITUATIONS)[number];

interface Grown {
  readonly members: number;
  readonly situation: Situation;
  readonly runs: readonly ModelRun[];
  readonly peakMib: number;
}

/**
 * How the reconcile grows to a million members. The stores are a model in its own process (`model.ts`); the run's lease, plan,
 * lists and record are written to a local Firestore in another one.
 */
export const benchGrowth = async ({ sizes, note }: BenchOptions): Promise<BenchReport> => {
  const module = await bundle(new URL('./reconcile-model.ts', import.meta.url));
  const firestore = await startFirestore({ projectId: PROJECT });
  const env = {
    GCLOUD_PROJECT: PROJECT,
    FIREBASE_CONFIG: JSON.stringify({ projectId: PROJECT, storageBucket: `${PROJECT}.appspot.com` }),
    FUNCTIONS_EMULATOR: 'true',
    FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
    METADATA_SERVER_DETECTION: 'none',
    DJANGO_BASE_URL: 'http://127.0.0.1:9',
    DJANGO_API_TOKEN: 'none',
    CHAIN_SIGNING_KEY: makeSigningKey(),
    TZ: 'UTC',
  };
  const grown: Grown[] = [];
  try {
    for (const members of sizes ?? SIZES) {
      for (const situation of SITUATIONS) {
        if (situation === 'load in several runs' && members < SMALLEST_BY_CURSOR) continue;
        if (sizes === null && members >= HOURLONG && situation !== '1% changed') continue;
        note(`growth: ${members} members, ${situation}…`);
        await firestore.clear();
        const { facts, peakMib } = await runAlone(module, {
          ...env,
          BENCH_MEMBERS: String(members),
          BENCH_SITUATION: situation,
          BENCH_WRITES_A_RUN: String(
            situation === 'load in several runs' ? Math.ceil(members / RUNS) + 1 : members + 1,
          ),
        });
        const runs = facts as ModelRun[];
        grown.push({ members, situation, runs, peakMib });
      }
    }
  } finally {
    await firestore.close();
  }
  return {
    tables: [
      {
        title: 'reconcile over stores in memory; of several runs each, one after another',
        columns: ['members', 'run', 's', 'registry pages', 'documents read', 'writes', 'peak MiB'],
        rows: grown.map(rowOf),
      },
    ],
    goals: grown.flatMap(goalsOf),
    samples: grown,
  };
};

const rowOf = ({ members, situation, runs, peakMib }: Grown): string[] => {
  const each = (of: (run: ModelRun) => string): string => runs.map(of).join(' + ');
  return [
    members.toLocaleString('en'),
    situation,
    each(({ milliseconds }) => (milliseconds / 1_000).toFixed(1)),
    each(({ pages }) => pages.toLocaleString('en')),
    each(({ documents, reads }) => (documents + reads).toLocaleString('en')),
    each(({ writes }) => writes.toLocaleString('en')),
    peakMib.toFixed(0),
  ];
};

const goalsOf = ({ members, situation, runs, peakMib }: Grown): Goal[] => {
  const what = `${members.toLocaleString('en')} members in memory, ${situation}`;
  const written = runs.reduce((sum, { writes }) => sum + writes, 0);
  const differences =
    { unchanged: 0, '1% changed': Math.ceil(members / 100) }[situation as string] ?? members;
  return [
    { what: `${what}, peak memory`, measured: peakMib, atMost: MIB_AT_MOST, unit: 'MiB' },
    {
      what: `${what}, writes beside the differences`,
      measured: Math.abs(written - differences),
      atMost: 0,
      unit: 'writes',
    },
    ...(situation === 'load in several runs' ? cursorGoals(what, members, runs) : []),
  ];
};

/** What is finished is not read again, neither in the registry nor in the portal. */
const cursorGoals = (what: string, members: number, [first, ...later]: readonly ModelRun[]): Goal[] => {
  if (first === undefined || later.length !== RUNS - 1)
    throw new Error(`${what}: ${later.length + 1} runs instead of ${RUNS}.`);
  const sum = (of: (run: ModelRun) => number): number => later.reduce((total, run) => total + of(run), 0);
  // To plan it and to write it.
  const pagesLeft = 2 * Math.ceil(members / PAGE) - first.pages;
  return [
    {
      what: `${what}, pages that the later runs read again, each`,
      measured: (sum(({ pages }) => pages) - pagesLeft) / later.length,
      atMost: PAGES_READ_AGAIN,
      unit: 'pages',
    },
    {
      what: `${what}, members that the later runs asked for again, each`,
      measured: (sum(({ reads }) => reads) - (members - first.writes)) / later.length,
      atMost: PAGES_UNSETTLED * PAGE,
      unit: 'documents',
    },
    {
      what: `${what}, documents of the whole portal that the later runs read`,
      measured: sum(({ documents }) => documents),
      atMost: 0,
      unit: 'documents',
    },
  ];
};
