/** Hands out generations: decimal strings, strictly increasing, unique across all buckets of one server. */
export interface GenerationClock {
  next(): string;
  /** Keeps every later generation above one that was found on disk, even if the clock was set back. */
  raiseAbove(generation: string): void;
}

/** Generations are microseconds since the epoch, as those of Cloud Storage are. */
export function makeGenerationClock(now: () => number = Date.now): GenerationClock {
  let last = 0n;
  return {
    next() {
      const microseconds = BigInt(now()) * 1000n;
      last = microseconds > last ? microseconds : last + 1n;
      return last.toString();
    },
    raiseAbove(generation) {
      const seen = BigInt(generation);
      if (seen > last) last = seen;
    },
  };
}
