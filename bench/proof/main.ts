import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { prove } from '../../functions/src/proof/prove.ts';
import type { BenchOptions, BenchReport, Goal } from '../lib/benchmark.ts';
import { measureLocalStack } from './local-stack.ts';
import { makeModel } from './model.ts';

const SIZES = [2_216, 1_000_000] as const;
/** Of a million one: its reads are the same in each, and its time is a third of the goal. */
const roundsFor = (members: number): number => (members <= LARGEST_LOCAL ? 3 : 1);
/** Larger than this, the local Firestore would take longer to load than everything else. */
const LARGEST_LOCAL = 20_000;

interface Measured {
  readonly members: number;
  readonly where: 'local stack' | 'in memory';
  readonly equal: { readonly milliseconds: number; readonly reads: number };
  readonly healed: { readonly milliseconds: number; readonly reads: number } | null;
  readonly fullReading: { readonly milliseconds: number | null; readonly reads: number };
}

/** A proof that finds all equal, and one that finds and mends a single lost event, against a reading of everybody. */
export default async ({ sizes, rounds, note }: BenchOptions): Promise<BenchReport> => {
  const measured: Measured[] = [];
  for (const members of sizes ?? SIZES) {
    note(`${members} members…`);
    measured.push(await measureModel(members, rounds ?? roundsFor(members)));
    if (members <= LARGEST_LOCAL) measured.push(await onLocalStack(members, rounds ?? roundsFor(members)));
  }
  const number = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
  const shown = (it: { milliseconds: number | null; reads: number } | null): string =>
    it === null
      ? '-'
      : `${it.milliseconds === null ? '' : `${number.format(it.milliseconds)} ms, `}${number.format(it.reads)} reads`;
  return {
    tables: [
      {
        title: 'a proof, the slowest round',
        columns: ['members', 'stores', 'all equal', 'one difference mended', 'a full reading'],
        rows: measured.map(({ members, where, equal, healed, fullReading }) => [
          number.format(members),
          where,
          shown(equal),
          shown(healed),
          shown(fullReading),
        ]),
      },
    ],
    goals: measured.flatMap(goalsOf),
    samples: measured,
  };
};

const goalsOf = ({ members, where, equal, healed }: Measured): Goal[] => {
  const isSmall = members <= 2_216;
  if (!isSmall && members !== 1_000_000) return [];
  const about = `${members} members, ${where}`;
  return [
    {
      what: `${about}: equal, time`,
      measured: equal.milliseconds,
      atMost: isSmall ? 1_000 : 10_000,
      unit: 'ms',
    },
    { what: `${about}: equal, reads`, measured: equal.reads, atMost: isSmall ? 300 : 2_500, unit: 'reads' },
    ...(healed === null || isSmall
      ? []
      : [{ what: `${about}: one difference mended`, measured: healed.reads, atMost: 10_000, unit: 'reads' }]),
  ];
};

const measureModel = async (members: number, rounds: number): Promise<Measured> => {
  const model = makeModel(members);
  const once = async () => {
    const before = { ...model.counts };
    const start = performance.now();
    const { outcome } = await prove({ signal: AbortSignal.timeout(600_000) }, model.dependencies);
    const milliseconds = performance.now() - start;
    if (outcome !== 'equal') throw new Error(`The proof ended ${outcome}, so its time means nothing.`);
    return {
      milliseconds,
      reads: model.counts.reads - before.reads,
      runs: model.counts.runs - before.runs,
    };
  };
  const equal = [];
  const healed = [];
  for (let round = 0; round < rounds; round += 1) {
    equal.push(await once());
    model.change(Math.floor((members * (round + 1)) / (rounds + 1)));
    const mended = await once();
    if (mended.runs !== 1) throw new Error('A lost event was not found, so its cost means nothing.');
    healed.push(mended);
  }
  return {
    members,
    where: 'in memory',
    equal: slowest(equal),
    healed: slowest(healed),
    fullReading: { milliseconds: null, reads: members + 2 },
  };
};

const onLocalStack = async (members: number, rounds: number): Promise<Measured> => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-proof-'));
  try {
    const { equal, full } = await measureLocalStack(members, rounds, folder);
    return { members, where: 'local stack', equal: slowest(equal), healed: null, fullReading: slowest(full) };
  } finally {
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
};

const slowest = <T extends { readonly milliseconds: number; readonly reads: number }>(all: readonly T[]) => ({
  milliseconds: Math.max(...all.map((it) => it.milliseconds)),
  reads: Math.max(...all.map((it) => it.reads)),
});
