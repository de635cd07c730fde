import { oneInsert } from './one-insert.ts';
import { ours } from './ours.ts';
import { reference } from './reference.ts';
import { changeOneInHundred, makeWireMembers } from './synthetic-members.ts';

/** What one sync took once the members had been read, which is the same work for both. */
export interface Work {
  readonly syncMs: number;
  /** Of that, waiting for the database. */
  readonly databaseMs: number;
  readonly statements: number;
}

export interface Contender {
  /** Loads the driver and connects: what a process does once is not measured. */
  readonly open: () => Promise<void>;
  readonly sync: (members: readonly Record<string, unknown>[]) => Promise<Work>;
  readonly close: () => Promise<void>;
}

/** A request of the parent process. The database holds the members of the rounds before. */
export interface Order {
  readonly contender: 'ours' | 'reference' | 'one insert';
  readonly url: string;
  readonly count: number;
  /** 0: the members as they were at first. */
  readonly round: number;
}

export interface Outcome extends Work {
  /** The highest resident memory of this process so far. */
  readonly peakMib: number;
}

const CONTENDERS = { ours, reference, 'one insert': oneInsert } as const;

/** The contender runs in a process of its own, so that its memory is its own, and does one piece of work. */
const main = async ({ contender, url, count, round }: Order): Promise<Outcome> => {
  const first = makeWireMembers(count);
  const members = round === 0 ? first : changeOneInHundred(first, round);
  const { open, sync, close } = CONTENDERS[contender](url);
  await open();
  const work = await sync(members);
  await close();
  return { ...work, peakMib: process.resourceUsage().maxRSS / 1_024 };
};

process.on('message', async (order: Order) => {
  process.send?.(await main(order), () => process.exit(0));
});
