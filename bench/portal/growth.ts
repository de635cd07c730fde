import { startFirestore } from '../../local/src/firestore/server.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';
import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { bundle } from '../lib/bundle.ts';
import type { ModelRun } from './reconcile-model.ts';
import { runAlone } from './run-alone.ts';

const SIZES = [2_216, 10_000, 100_000, 1_000_000];
const MILLION = 1_000_000;
const MIB_AT_MOST = 256;
const PROJECT = 'demo-ekklesia';
/** What a run of the deployed function may take. */
const RUN_LIMIT_MS = 1_620_000;

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
      let loadMs = 0;
      for (const situation of SITUATIONS) {
        note(`growth: ${members} members, ${situation}…`);
        await firestore.clear();
        const { facts, peakMib } = await runAlone(module, {
          ...env,
          BENCH_MEMBERS: String(members),
          BENCH_SITUATION: situation,
          // Enough to plan it, and not enough to write it.
          BENCH_RUN_LIMIT_MS: String(
            situation === 'load in several runs' ? Math.ceil(loadMs * 0.75) : RUN_LIMIT_MS,
          ),
        });
        const runs = facts as ModelRun[];
        if (situation === 'load') loadMs = runs[0]?.milliseconds ?? 0;
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
  const [first, ...later] = runs;
  const pages = Math.ceil(members / 500);
  return [
    { what: `${what}, peak memory`, measured: peakMib, atMost: MIB_AT_MOST, unit: 'MiB' },
    {
      what: `${what}, writes beside the differences`,
      measured: Math.abs(written - differences),
      atMost: 0,
      unit: 'writes',
    },
    ...(situation === 'load in several runs' && members === MILLION
      ? [
          {
            what: `${what}, pages that the later runs read beyond those that were left`,
            // The page where the cursor is, which each later run reads to see that it is still so, and again to go on.
            measured:
              later.reduce((sum, run) => sum + run.pages, 0) -
              (2 * pages - (first?.pages ?? 0)) -
              3 * later.length,
            atMost: 0,
            unit: 'pages',
          },
        ]
      : []),
  ];
};
