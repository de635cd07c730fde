import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';
import { measureReconcile, type ReconcileMeasured, SITUATIONS, type Situation } from './reconcile.ts';

const SIZES = [2_216, 10_000];
const MIB_AT_MOST = 256;
/**
 * Of the reference's time: ten times as fast. A short load is mostly what every run costs, and Firestore's own 500 writes a second would
 * let it be five to seven times as fast at most.
 */
const loadShareAtMost = (members: number): number => (members < 10_000 ? 0.2 : 0.1);

/** The reconcile against one `set` a member, one after another, with slow calls to Firestore on both. */
export const benchReconcile = async (options: BenchOptions): Promise<BenchReport> => {
  const measured: ReconcileMeasured[] = [];
  for (const members of options.sizes ?? SIZES) {
    measured.push(await measureReconcile(members, options.rounds ?? roundsFor(members), options.note));
  }
  return {
    tables: [
      {
        title: 'reconcile, medians',
        columns: [
          'members',
          'run',
          's',
          'reference s',
          'times as fast',
          'writes',
          'peak MiB',
          'reference MiB',
        ],
        rows: measured.flatMap((one) => SITUATIONS.map((situation) => rowOf(one, situation))),
      },
    ],
    goals: measured.flatMap(goalsOf),
    samples: measured,
  };
};

const roundsFor = (members: number): number => (members < 10_000 ? 3 : 1);

const summary = ({ runs, reference }: ReconcileMeasured, situation: Situation) => {
  const mine = runs.filter((run) => run.situation === situation);
  return {
    ms: median(mine.map(({ milliseconds }) => milliseconds)),
    referenceMs: median(reference.map(({ milliseconds }) => milliseconds)),
    writes: Math.max(...mine.map(({ writes }) => writes)),
    excess: Math.max(...mine.map(({ writes, differences }) => Math.abs(writes - differences))),
    peakMib: Math.max(...mine.map(({ peakMib }) => peakMib)),
    referenceMib: Math.max(...reference.map(({ peakMib }) => peakMib)),
  };
};

const rowOf = (measured: ReconcileMeasured, situation: Situation): string[] => {
  const { ms, referenceMs, writes, peakMib, referenceMib } = summary(measured, situation);
  return [
    measured.members.toLocaleString('en'),
    situation,
    (ms / 1_000).toFixed(1),
    (referenceMs / 1_000).toFixed(1),
    (referenceMs / ms).toFixed(1),
    writes.toLocaleString('en'),
    peakMib.toFixed(0),
    referenceMib.toFixed(0),
  ];
};

const goalsOf = (measured: ReconcileMeasured): Goal[] => {
  const size = `${measured.members.toLocaleString('en')} members`;
  const load = summary(measured, 'load');
  return [
    {
      what: `${size}, load, share of the reference's time`,
      measured: load.ms / load.referenceMs,
      atMost: loadShareAtMost(measured.members),
      unit: '×',
    },
    ...SITUATIONS.map((situation): Goal => {
      const { excess } = summary(measured, situation);
      return {
        what: `${size}, ${situation}, writes beside the differences`,
        measured: excess,
        atMost: 0,
        unit: 'writes',
      };
    }),
    {
      what: `${size}, peak memory`,
      measured: Math.max(...measured.runs.map(({ peakMib }) => peakMib)),
      atMost: MIB_AT_MOST,
      unit: 'MiB',
    },
  ];
};
