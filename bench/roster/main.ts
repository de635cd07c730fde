import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { median } from '../lib/statistics.ts';
import { type EntrantMeasured, measureSize, type SizeMeasured } from './measure-size.ts';

/** Those that have goals; others with `--sizes`. */
const SIZES = [2_216, 1_000_000];
const RATIO_AT_MOST = 1.5;
/** Of a first publication, which also writes who was added. */
const WARM_FIRST_AT_MOST = 1.6;
const SECONDS_AT_MOST = 10;
const MIB_AT_MOST = 256;

const SITUATIONS = [
  ['first', 'first publication'],
  ['unchanged', 'unchanged'],
  ['changed', '1% changed'],
] as const;

/** Our weekly run against the reference algorithm, from a fresh process and from a warm one. */
export default async (options: BenchOptions): Promise<BenchReport> => {
  const measured: SizeMeasured[] = [];
  for (const members of options.sizes ?? SIZES) {
    options.note(`${members} kennitalas…`);
    measured.push(await measureSize(members, options.rounds ?? roundsFor(members)));
  }
  return {
    tables: [
      {
        title: 'medians in milliseconds (reference in brackets), highest peak memory in MiB',
        columns: ['kennitalas', 'run', 'cold', 'ratio', 'warm', 'ratio', 'peak MiB'],
        rows: measured.flatMap(rowsOf),
      },
    ],
    goals: measured.flatMap(goalsOf),
    samples: measured,
  };
};

/** A ratio of some hundredths needs many; the goals of a million are far from what is measured, or a peak. */
const roundsFor = (members: number): number => (members <= 10_000 ? 21 : members <= 100_000 ? 5 : 2);

const rowsOf = (size: SizeMeasured): string[][] =>
  SITUATIONS.map(([entrant, text]) => {
    const [ours, reference] = [size[entrant], size.reference];
    return [
      size.members.toLocaleString('en'),
      text,
      `${median(ours.coldMs).toFixed(0)} (${median(reference.coldMs).toFixed(0)})`,
      ratioOf('coldMs', ours, reference).toFixed(2),
      `${median(ours.warmMs).toFixed(0)} (${median(reference.warmMs).toFixed(0)})`,
      ratioOf('warmMs', ours, reference).toFixed(2),
      `${Math.max(...ours.peakMib).toFixed(0)} (${Math.max(...reference.peakMib).toFixed(0)})`,
    ];
  });

const goalsOf = (size: SizeMeasured): Goal[] =>
  SITUATIONS.flatMap(([entrant, text]): Goal[] => {
    const ours = size[entrant];
    const what = `${size.members.toLocaleString('en')} kennitalas, ${text}`;
    if (size.members === 2_216) {
      // Cold, as Cloud Scheduler finds a function that runs once a week.
      const measured = ratioOf('coldMs', ours, size.reference);
      const cold = { what: `${what}, cold`, measured, atMost: RATIO_AT_MOST, unit: '×' };
      if (entrant !== 'first') return [cold];
      const warm = ratioOf('warmMs', ours, size.reference);
      return [cold, { what: `${what}, warm`, measured: warm, atMost: WARM_FIRST_AT_MOST, unit: '×' }];
    }
    if (size.members === 1_000_000) {
      const seconds = median(ours.coldMs) / 1_000;
      const peak = Math.max(...ours.peakMib);
      return [
        { what: `${what}, time`, measured: seconds, atMost: SECONDS_AT_MOST, unit: 's' },
        { what: `${what}, peak memory`, measured: peak, atMost: MIB_AT_MOST, unit: 'MiB' },
      ];
    }
    return [];
  });

const ratioOf = (which: 'coldMs' | 'warmMs', ours: EntrantMeasured, reference: EntrantMeasured): number =>
  median(ours[which]) / median(reference[which]);
