import { z } from 'zod';
import { time } from './common.ts';
import { missedEvents } from './runs.ts';

const DAYS = 'a whole number from 1 to 366';
export const seriesQuery = z.strictObject({
  days: z.coerce
    .number({ error: DAYS })
    .int({ error: DAYS })
    .min(1, { error: DAYS })
    .max(366, { error: DAYS })
    .default(90),
});

export const mirrorDay = z.object({
  /** Members at the last success of the day; null: no success. */
  members: z.number().nullable(),
  runs: z.number(),
  failed: z.number(),
  blocked: z.number(),
  skipped: z.number(),
  /** The longest run of the day. */
  longestMs: z.number().nullable(),
  added: z.number(),
  removed: z.number(),
  updated: z.number(),
});

export const seriesDay = z.object({
  /** `YYYY-MM-DD` in Iceland, which keeps UTC. */
  day: z.string(),
  roster: mirrorDay,
  portal: mirrorDay,
  register: mirrorDay,
  missedEvents,
  twoWay: z.object({ sent: z.number(), received: z.number(), conflicts: z.number(), failed: z.number() }),
  deadLetters: z.number(),
});

export const seriesAnswer = z.object({
  from: time,
  to: time,
  /** Every day of the range, oldest first. */
  days: z.array(seriesDay),
  /** There was more than is read at once: the oldest days lack runs. */
  truncated: z.boolean(),
});
