import { z } from 'zod';

const whole = z.number().int();
const amount = whole.nonnegative();
const names = z.union([z.string().transform((name) => [name]), z.array(z.string().min(1))]);

/** One misbehaviour of an answer; the README has a row for each field. Fields combine: a status and a delay are a slow 503. */
const fault = z.strictObject({
  status: whole.min(400).max(599).optional(),
  delay_ms: amount.optional(),
  trickle_ms: amount.optional(),
  trickle_bytes: whole.positive().optional(),
  disconnect: z.enum(['at-once', 'mid-body']).optional(),
  truncate: z.boolean().optional(),
  html: z.boolean().optional(),
  redirect: z.string().min(1).optional(),
  wrong_types: names.optional(),
  missing_keys: names.optional(),
  count: whole.optional(),
  empty: z.boolean().optional(),
  drop: amount.optional(),
  duplicates: amount.optional(),
  hyphens: amount.optional(),
  placeholders: amount.optional(),
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
