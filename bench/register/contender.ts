import { oneInsert } from './one-insert.ts';
import { ours } from './ours.ts';
import { reference, type Work } from './reference.ts';
import { changeOneInHundred, makeWireMembers } from './synthetic-members.ts';

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
