import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fraction } from '../members/random.ts';
import type { Changed, Controls } from './controls.ts';

const share = z.number().min(0).max(1);

/** So many changes, spread evenly over so many seconds. What is neither a create nor a delete is an update. */
export const burstRequest = z
  .strictObject({
    count: z.number().int().min(1).max(100_000),
    seconds: z.number().min(0).max(86_400).default(0),
    create: share.default(0),
    delete: share.default(0),
  })
  .refine((request) => request.create + request.delete <= 1, 'create and delete together are at most 1');

export type BurstInput = z.input<typeof burstRequest>;
export type Burst = z.output<typeof burstRequest> & { remaining: number };

export const parseBurst = (request: BurstInput): z.output<typeof burstRequest> => burstRequest.parse(request);

/** Changes random members until the burst is done or `closing` ends it. */
export const burst = async (
  run: Burst,
  controls: Controls,
  seed: number,
  closing: AbortSignal,
): Promise<Changed[]> => {
  const done: Changed[] = [];
  const start = Date.now();
  for (let n = 0; n < run.count && !closing.aborted; n += 1) {
    // The due time is reckoned from the start, so that slow changes do not stretch the burst.
    const wait = start + (n * run.seconds * 1000) / run.count - Date.now();
    if (wait > 0) await sleep(wait, undefined, { signal: closing }).catch(() => {});
    // A thousand synchronous writes would keep every request waiting: let others in between.
    else if (n % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    if (closing.aborted) break;
    done.push(changeOne(run, controls, fraction(seed, n, 410)));
    run.remaining -= 1;
  }
  return done;
};

const changeOne = (run: Burst, controls: Controls, chance: number): Changed => {
  if (chance < run.create) return controls.createMember();
  const id = controls.randomMember();
  return chance < run.create + run.delete ? controls.deleteMember(id) : controls.updateMember(id);
};
