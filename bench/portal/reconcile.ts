import type { RunMeasured } from '../lib/contender.ts';
import { type ReconcileServers, startReconcileServers } from './reconcile-servers.ts';
import { bundleContenders, runAlone } from './run-alone.ts';

/** The reference writes one member after another; beyond so many, its time is reckoned from these. */
const REFERENCE_SETS = 5_000;

export const SITUATIONS = ['load', 'load, 500 writes/s', 'unchanged', '1% changed'] as const;
export type Situation = (typeof SITUATIONS)[number];

export interface ReconcileRun extends RunMeasured {
  readonly situation: Situation;
  /** Differences between registry and portal before the run, and the member writes that it made. */
  readonly differences: number;
  readonly writes: number;
}

export interface ReconcileMeasured {
  readonly members: number;
  readonly runs: readonly ReconcileRun[];
  /** Milliseconds for all members. */
  readonly reference: readonly (RunMeasured & { readonly sets: number })[];
}

/** Both contenders at one size, alternating; each run is a process of its own. */
export const measureReconcile = async (
  members: number,
  rounds: number,
  note: (line: string) => void,
): Promise<ReconcileMeasured> => {
  const modules = await bundleContenders();
  const servers = await startReconcileServers(members);
  const runs: ReconcileRun[] = [];
  const reference: ReconcileMeasured['reference'][number][] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      note(`${members} members, round ${round + 1} of ${rounds}…`);
      reference.push(await measureReference(modules.reference, members, servers));
      for (const situation of SITUATIONS)
        runs.push(await measureOurs(modules.ours, situation, members, servers));
    }
    return { members, runs, reference };
  } finally {
    await servers.close();
  }
};

const measureOurs = async (
  module: URL,
  situation: Situation,
  members: number,
  servers: ReconcileServers,
): Promise<ReconcileRun> => {
  const differences = await prepare(situation, members, servers);
  const writes = servers.countMemberWrites();
  const BENCH_THROTTLING = String(situation === 'load, 500 writes/s');
  const measured = await runAlone(module, { ...servers.env, BENCH_THROTTLING });
  const made = writes();
  if ((await servers.memberCount()) !== members) {
    throw new Error('A run left the portal unequal, so its time means nothing.');
  }
  return { situation, differences, writes: made, ...measured };
};

/** The situations follow one another: what one leaves is what the next begins with. */
const prepare = async (situation: Situation, members: number, servers: ReconcileServers): Promise<number> => {
  if (situation === 'unchanged') return 0;
  if (situation === '1% changed') return servers.changeOnePercent();
  await servers.empty();
  return members;
};

const measureReference = async (module: URL, members: number, servers: ReconcileServers) => {
  await servers.empty();
  const sets = Math.min(members, REFERENCE_SETS);
  const measured = await runAlone(module, { ...servers.env, BENCH_SETS: String(sets) });
  return { ...measured, milliseconds: (measured.milliseconds * members) / sets, sets };
};
