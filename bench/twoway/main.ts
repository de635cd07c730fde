import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';
import { type Burst, measureBurst } from './burst.ts';
import { measureOneEdit, type OneEdit, oneEditGoals, oneEditTables } from './one-edit.ts';
import { deliverOurs } from './ours.ts';
import { type Counts, deliverReference, makeCounts } from './reference.ts';
import { EDITS_PER_MEMBER, type Servers, startServers } from './servers.ts';

/** Pending changes; every member has two. */
const SIZES = [1_000];
const ROUNDS = 3;
const DELAY_MS = 5;
const BURST_EDITS = 50;
const BURST_REQUESTS_AT_MOST = 5;
const TIME_RATIO_AT_MOST = 0.5;
/** Turns of a contender that delivers one edit after another. */
const ONE_EDIT_TURNS = 6;

interface Delivered extends Counts {
  readonly ms: number;
}

interface SizeMeasured {
  readonly changes: number;
  readonly ours: readonly Delivered[];
  readonly reference: readonly Delivered[];
  readonly burst: Burst;
  readonly oneEdit: readonly OneEdit[];
}

/** Delivery of members' edits against the reference algorithm, and what a burst of one member costs. */
export default async (options: BenchOptions): Promise<BenchReport> => {
  const measured: SizeMeasured[] = [];
  for (const changes of options.sizes ?? SIZES) {
    options.note(`${changes} pending changes…`);
    measured.push(await measureSize(changes, options.rounds ?? ROUNDS));
  }
  return {
    tables: [
      {
        title: `delivery of pending changes, ${EDITS_PER_MEMBER} a member, ${DELAY_MS} ms to each server; medians`,
        columns: ['changes', 'delivery', 'ms', 'requests', 'documents read', 'documents written'],
        rows: measured.flatMap(({ changes, ours, reference }) => [
          rowOf(changes, 'ours', ours),
          rowOf(changes, 'reference', reference),
        ]),
      },
      {
        title: 'a burst of one member, all triggers at once',
        columns: ['edits', 'requests', 'ms'],
        rows: measured.map(({ burst }) => [String(burst.edits), String(burst.requests), burst.ms.toFixed(0)]),
      },
      ...oneEditTables(measured.flatMap(({ oneEdit }) => oneEdit)),
    ],
    goals: measured.flatMap(goalsOf),
    samples: measured,
  };
};

const measureSize = async (changes: number, rounds: number): Promise<SizeMeasured> => {
  const servers = await startServers(Math.max(1, Math.round(changes / EDITS_PER_MEMBER)), DELAY_MS);
  const ours: Delivered[] = [];
  const reference: Delivered[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      ours.push(await measure(servers, 2 * round, deliverOurs));
      reference.push(await measure(servers, 2 * round + 1, deliverReference));
    }
    await servers.load();
    servers.slowDown();
    const burst = await measureBurst(servers, BURST_EDITS);
    const oneEdit = [];
    for (const delayMs of [0, DELAY_MS]) {
      servers.speedUp();
      await servers.load();
      if (delayMs > 0) servers.slowDown();
      oneEdit.push(await measureOneEdit(servers, delayMs, ONE_EDIT_TURNS));
    }
    return { changes, ours, reference, burst, oneEdit };
  } finally {
    await servers.close();
  }
};

const measure = async (
  servers: Servers,
  round: number,
  deliver: (servers: Servers, counts: Counts) => Promise<void>,
): Promise<Delivered> => {
  servers.speedUp();
  await servers.load();
  await servers.queue(round);
  servers.slowDown();
  const counts = makeCounts();
  const startedAt = performance.now();
  await deliver(servers, counts);
  const ms = performance.now() - startedAt;
  const missing = servers.missing(round);
  if (missing > 0) throw new Error(`${missing} members' edits did not arrive.`);
  return { ...counts, ms };
};

const medianOf = (runs: readonly Delivered[], key: keyof Delivered): number =>
  median(runs.map((run) => run[key]));

const rowOf = (changes: number, name: string, runs: readonly Delivered[]): string[] => [
  changes.toLocaleString('en'),
  name,
  medianOf(runs, 'ms').toFixed(0),
  ...(['requests', 'reads', 'writes'] as const).map((key) => medianOf(runs, key).toLocaleString('en')),
];

const goalsOf = ({ changes, ours, reference, burst, oneEdit }: SizeMeasured): Goal[] => [
  ...oneEditGoals(oneEdit),
  {
    what: `${changes.toLocaleString('en')} changes, time against the reference`,
    measured: medianOf(ours, 'ms') / medianOf(reference, 'ms'),
    atMost: TIME_RATIO_AT_MOST,
    unit: '×',
  },
  {
    what: `a burst of ${burst.edits} edits by one member`,
    measured: burst.requests,
    atMost: BURST_REQUESTS_AT_MOST,
    unit: 'requests',
  },
];
