import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';
import type { Order, Outcome } from './contender.ts';
import { benchEligibility } from './eligibility.ts';
import { type BenchServer, type ServerCost, startServer } from './server.ts';
import { openSlowLink } from './slow-link.ts';

/** Those that have goals; others with `--sizes`. */
const SIZES = [10_000, 100_000];
const TIMES_FASTER = 20;
/** Of a first load over the loopback, where a bare INSERT takes four fifths of the time that 20 times faster would leave. */
const OF_ONE_INSERT_AT_MOST = 2.5;
const UNCHANGED_MS_AT_MOST = 1_000;
/** The link over which the goal at 10,000 is measured: a round trip to Cloud SQL in the same region. */
const GOAL_SIZE = 10_000;
const ROUND_TRIP_MS = 1;

const CONTENDERS = ['ours', 'reference', 'one insert'] as const satisfies readonly Order['contender'][];
const SITUATIONS = ['first load', 'no change', '1% changed'] as const;
type Situation = (typeof SITUATIONS)[number];

interface Measured extends Outcome, ServerCost {
  readonly members: number;
  readonly contender: Order['contender'];
  readonly situation: Situation;
  readonly roundTripMs: number;
}

/**
 * The register's sync against one statement a member, on a PostgreSQL 15 of its own. Over the loopback a statement's
 * round trip is nearly free, which no database of a cloud function is: at 10,000 both are measured over a link too.
 */
export default async (options: BenchOptions): Promise<BenchReport> => {
  const server = await startServer();
  const samples: Measured[] = [];
  let eligibility: BenchReport;
  try {
    eligibility = await benchEligibility(server, options);
    for (const members of options.sizes ?? SIZES) {
      for (let round = 1; round <= (options.rounds ?? roundsFor(members)); round += 1) {
        options.note(`${members} members, round ${round}…`);
        for (const contender of CONTENDERS) {
          for (const roundTripMs of roundTripsOf(members, round))
            samples.push(...(await measure(server, contender, members, roundTripMs)));
        }
      }
    }
  } finally {
    await server.close();
  }
  const sizes = [...new Set(samples.map(({ members }) => members))];
  return {
    tables: [
      {
        title: 'medians',
        columns: [
          'members',
          'round trip',
          'run',
          '',
          'sync ms',
          'database ms',
          'statements',
          'peak MiB',
          'WAL KiB',
          'rows',
          'dead',
        ],
        rows: sizes.flatMap((members) =>
          [0, ROUND_TRIP_MS].flatMap((roundTripMs) => {
            const of = samples.filter((it) => it.members === members && it.roundTripMs === roundTripMs);
            return SITUATIONS.flatMap((situation) => rowsOf(of, situation));
          }),
        ),
      },
      ...eligibility.tables,
    ],
    goals: [...sizes.flatMap((members) => goalsOf(samples, members)), ...eligibility.goals],
    samples: { sync: samples, eligibility: eligibility.samples },
  };
};

const roundsFor = (members: number): number => (members < 100_000 ? 5 : 1);

/** Over the link the reference takes a quarter of a minute, and ours a hundredth of that: one round says enough. */
const roundTripsOf = (members: number, round: number): number[] =>
  members === GOAL_SIZE && round === 1 ? [0, ROUND_TRIP_MS] : [0];

/** One database: loaded, then run again without a difference, then with one member in a hundred changed. */
const measure = async (
  server: BenchServer,
  contender: Order['contender'],
  members: number,
  roundTripMs: number,
): Promise<Measured[]> => {
  const database = await server.createDatabase();
  const link = roundTripMs === 0 ? null : await openSlowLink(database.url, roundTripMs);
  const measured: Measured[] = [];
  try {
    for (const [situation, round] of [
      ['first load', 0],
      ['no change', 0],
      ['1% changed', 1],
    ] as const) {
      if (contender === 'one insert' && situation !== 'first load') break;
      let outcome: Outcome | undefined;
      const cost = await server.measure(database.url, async () => {
        outcome = await runContender({ contender, url: link?.url ?? database.url, count: members, round });
      });
      if (outcome === undefined) throw new Error('The contender did not answer.');
      measured.push({ ...outcome, ...cost, members, contender, situation, roundTripMs });
    }
  } finally {
    await link?.close();
    await database.drop();
  }
  return measured;
};

const runContender = async (order: Order): Promise<Outcome> => {
  const child = fork(new URL('./contender.ts', import.meta.url));
  const exit = once(child, 'exit');
  child.send(order);
  const [outcome] = await Promise.race([
    once(child, 'message'),
    exit.then(([code]) => {
      throw new Error(`The contender ended with code ${code} before it answered.`);
    }),
  ]);
  await exit;
  return outcome as Outcome;
};

const pick = (
  samples: readonly Measured[],
  situation: Situation,
  contender: Order['contender'],
  value: (sample: Measured) => number,
): number =>
  median(samples.filter((it) => it.situation === situation && it.contender === contender).map(value));

const rowsOf = (samples: readonly Measured[], situation: Situation): string[][] => {
  const [first] = samples;
  if (first === undefined) return [];
  return CONTENDERS.flatMap((contender) => {
    if (!samples.some((it) => it.contender === contender && it.situation === situation)) return [];
    const of = (value: (sample: Measured) => number) => pick(samples, situation, contender, value);
    const row = [
      first.members.toLocaleString('en'),
      first.roundTripMs === 0 ? 'loopback' : `+${first.roundTripMs} ms`,
      situation,
      contender,
      of(({ syncMs }) => syncMs).toFixed(0),
      of(({ databaseMs }) => databaseMs).toFixed(0),
      of(({ statements }) => statements).toFixed(0),
      of(({ peakMib }) => peakMib).toFixed(0),
      of(({ walBytes }) => walBytes / 1_024).toFixed(0),
      of(({ rowsWritten }) => rowsWritten).toFixed(0),
      of(({ deadTuples }) => deadTuples).toFixed(0),
    ];
    return [row];
  });
};

const goalsOf = (all: readonly Measured[], members: number): Goal[] => {
  const samples = all.filter((it) => it.members === members);
  if (members === GOAL_SIZE) {
    return [0, ROUND_TRIP_MS].flatMap((away) =>
      SITUATIONS.map((situation) => {
        const at = samples.filter(({ roundTripMs }) => roundTripMs === away);
        const msOf = (contender: Order['contender']) =>
          pick(at, situation, contender, ({ syncMs }) => syncMs);
        const what = `${members.toLocaleString('en')} members, ${situation}, ${away === 0 ? 'loopback' : `${away} ms away`}`;
        if (away === 0 && situation === 'first load') {
          const measured = msOf('ours') / msOf('one insert');
          return { what, measured, atMost: OF_ONE_INSERT_AT_MOST, unit: '× one insert' };
        }
        return {
          what: `${what}: our share of the reference's time`,
          measured: msOf('ours') / msOf('reference'),
          atMost: 1 / TIMES_FASTER,
          unit: '×',
        };
      }),
    );
  }
  if (members === 100_000) {
    const of = (value: (sample: Measured) => number) => pick(samples, 'no change', 'ours', value);
    return [
      {
        what: '100,000 members, no change: time in the database',
        measured: of(({ databaseMs }) => databaseMs),
        atMost: UNCHANGED_MS_AT_MOST,
        unit: 'ms',
      },
      {
        what: '100,000 members, no change: member rows written',
        measured: of(({ rowsWritten }) => rowsWritten),
        atMost: 0,
        unit: 'rows',
      },
    ];
  }
  return [];
};
