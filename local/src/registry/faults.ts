import { z } from 'zod';

const whole = z.number().int();
const amount = whole.nonnegative();
const names = z.union([z.string().transform((name) => [name]), z.array(z.string().min(1))]);

/** One misbehaviour of an answer. Fields combine: `{"delay_ms": 500, "status": 503}` is a slow 503. */
const fault = z.strictObject({
  /** Answer this status with a JSON error instead of the true answer. */
  status: whole.min(400).max(599).optional(),
  /** Wait before the headers. */
  delay_ms: amount.optional(),
  /** Send the body in small pieces with this pause after each. */
  trickle_ms: amount.optional(),
  /** Size of a trickled piece; 64 when not given. */
  trickle_bytes: whole.positive().optional(),
  /** Reset the connection before any answer, or after half of the body. */
  disconnect: z.enum(['at-once', 'mid-body']).optional(),
  /** Answer a complete body that holds the first half of the JSON only. */
  truncate: z.boolean().optional(),
  /** Answer 200 with an HTML login page. */
  html: z.boolean().optional(),
  /** Answer 302 to this address. */
  redirect: z.string().min(1).optional(),
  /** Give these keys of the answer a value of another type. */
  wrong_types: names.optional(),
  /** Leave these keys of the answer out. */
  missing_keys: names.optional(),
  /** Add this to `count`; negative says fewer than there are. */
  count: whole.optional(),
  /** Answer an empty list with a count of 0. */
  empty: z.boolean().optional(),
  /** Leave out so many members, spread evenly, from the export and the pages; the count agrees. */
  drop: amount.optional(),
  /** Repeat the first so many entries; the count agrees. */
  duplicates: amount.optional(),
  /** Spell the first so many numbers with a hyphen. */
  hyphens: amount.optional(),
  /** Add so many 9999… entries; the count agrees. */
  placeholders: amount.optional(),
  /** Add so many entries whose number cannot be read; the count agrees. */
  unreadable: amount.optional(),
});

/** A fault with where and how often it holds. Without `times` it holds until it is cleared. */
export const standingFault = z.strictObject({
  ...fault.shape,
  /** Only requests whose path starts with this. */
  path: z.string().startsWith('/api/').default('/api/'),
  /** Only the next so many requests. */
  times: whole.positive().optional(),
});

export type Fault = z.output<typeof fault>;
export type StandingFault = z.output<typeof standingFault>;
export type StandingFaultInput = z.input<typeof standingFault>;

export type FaultPlan = ReturnType<typeof makeFaultPlan>;

/** The faults that hold at the moment. */
export const makeFaultPlan = () => {
  let active: StandingFault[] = [];
  return {
    /** Throws ZodError for a fault that is not of the agreed form. */
    add: (input: StandingFaultInput): void => void active.push(standingFault.parse(input)),
    clear: (): void => {
      active = [];
    },
    list: (): readonly StandingFault[] => active,
    /** What a request to this path meets, later faults over earlier ones. Uses up one time of each that has a number. */
    take: (requestPath: string): Fault => {
      const met = active.filter(({ path }) => requestPath.startsWith(path));
      active = active.flatMap((one) => {
        if (one.times === undefined || !met.includes(one)) return one;
        return one.times > 1 ? { ...one, times: one.times - 1 } : [];
      });
      return Object.assign({}, ...met);
    },
  };
};
