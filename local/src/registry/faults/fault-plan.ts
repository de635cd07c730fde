import { type Fault, type StandingFault, type StandingFaultInput, standingFault } from './fault.ts';

/** The faults that hold at the moment. */
export interface FaultPlan {
  /** Throws ZodError for a fault that is not of the agreed form. */
  add(fault: StandingFaultInput): void;
  clear(): void;
  list(): StandingFault[];
  /** What a request to this path meets, later faults over earlier ones. Uses up one time of each that has a number. */
  take(path: string): Fault;
}

interface Active {
  readonly fault: StandingFault;
  readonly until: number;
  timesLeft: number;
}

export const makeFaultPlan = (): FaultPlan => {
  let active: Active[] = [];
  const current = (): Active[] => {
    active = active.filter(({ timesLeft, until }) => timesLeft > 0 && Date.now() < until);
    return active;
  };
  return {
    add: (input) => {
      const fault = standingFault.parse(input);
      active.push({
        fault,
        until: fault.seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + fault.seconds * 1000,
        timesLeft: fault.times ?? Number.POSITIVE_INFINITY,
      });
    },
    clear: () => {
      active = [];
    },
    list: () =>
      current().map(({ fault, timesLeft }) =>
        Number.isFinite(timesLeft) ? { ...fault, times: timesLeft } : fault,
      ),
    take: (path) => {
      const met = current().filter(({ fault }) => path.startsWith(fault.path));
      for (const entry of met) entry.timesLeft -= 1;
      return Object.assign(
        {},
        ...met.map(({ fault: { path: _path, times, seconds, ...fault } }) => fault),
      ) as Fault;
    },
  };
};
