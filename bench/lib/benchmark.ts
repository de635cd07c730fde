/** What the command line chose. A benchmark takes what it understands and keeps its own values for the rest. */
export interface BenchOptions {
  /** Input sizes, in the benchmark's own unit. */
  readonly sizes: readonly number[] | null;
  /** How many times each contender runs at each size. */
  readonly rounds: number | null;
  /** Takes one line about the progress, for a person who waits. */
  readonly note: (line: string) => void;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A measured value and the most that it may be. */
export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly atMost: number;
  readonly unit: string;
}

export interface BenchReport {
  readonly tables: readonly Table[];
  readonly goals: readonly Goal[];
  /** Every single measurement, for `--json`. */
  readonly samples: unknown;
}

/** A folder of `bench/` has a `main.ts` whose default export is one of these. */
export type Benchmark = (options: BenchOptions) => Promise<BenchReport>;
