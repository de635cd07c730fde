import { spawnContender } from '../lib/spawn-contender.ts';
import { type Servers, startServers } from './servers.ts';
import { prepare, type Situation, textOf } from './situations.ts';

/** Our run in each situation that it can find, and the reference, to which they are all the same. */
export const ENTRANTS = ['reference', 'first', 'unchanged', 'changed'] as const;
export type Entrant = (typeof ENTRANTS)[number];

export interface EntrantMeasured {
  /** A fresh process: loading the module and its first run. The weekly run is always one. */
  readonly coldMs: number[];
  /** The second run of the same process. */
  readonly warmMs: number[];
  /** Peak resident memory of each process. */
  readonly peakMib: number[];
}

export type SizeMeasured = { readonly members: number } & Readonly<Record<Entrant, EntrantMeasured>>;

/** All entrants at one size, alternating: in each round every one runs in a process of its own. */
export const measureSize = async (members: number, rounds: number): Promise<SizeMeasured> => {
  const servers = await startServers(members);
  try {
    const wanted = (await servers.exported()).map((text) => text.replace('-', '')).sort();
    const measured = { members, reference: none(), first: none(), unchanged: none(), changed: none() };
    for (let round = 0; round < rounds; round += 1) {
      for (const entrant of ENTRANTS) await runTwice(entrant, measured[entrant], servers, wanted);
    }
    return measured;
  } finally {
    await servers.close();
  }
};

const none = (): EntrantMeasured => ({ coldMs: [], warmMs: [], peakMib: [] });

const runTwice = async (
  entrant: Entrant,
  measured: EntrantMeasured,
  servers: Servers,
  wanted: readonly string[],
): Promise<void> => {
  const situation: Situation = entrant === 'reference' ? 'first' : entrant;
  const module = entrant === 'reference' ? './reference.ts' : './ours.ts';
  const contender = await spawnContender(new URL(module, import.meta.url), servers.env);
  try {
    for (const times of [measured.coldMs, measured.warmMs]) {
      await prepare(situation, servers, wanted);
      const { milliseconds, peakMib } = await contender.run();
      times.push(milliseconds);
      if (times === measured.warmMs) measured.peakMib.push(peakMib);
      await assertPublished(entrant, servers, wanted);
    }
  } finally {
    await contender.close();
  }
};

/** A run that did nothing would be fast. */
const assertPublished = async (
  entrant: Entrant,
  servers: Servers,
  wanted: readonly string[],
): Promise<void> => {
  const text = await servers.published();
  const isRight =
    entrant === 'reference' ? text.split('\n').length === wanted.length : text === textOf(wanted);
  if (!isRight) throw new Error(`A run (${entrant}) did not publish the list, so its time means nothing.`);
};
