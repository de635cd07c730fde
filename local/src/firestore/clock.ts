import { Timestamp } from 'firebase-admin/firestore';

/**
 * The server's time, in microseconds as Cloud Firestore's is.
 *
 * The engine compares times by the millisecond, so two commits in one millisecond would look like one: a precondition
 * on `updateTime` would pass when it must not, and a transaction would miss a conflict. This clock gives each commit
 * a time of its own and moves to the next millisecond after each snapshot.
 */
export interface Clock {
  /** The time of the operation under way; never goes back. */
  now(): Timestamp;
  /** Moves on, so that the next commit has a time that no other commit has. */
  tick(): void;
  /** A whole millisecond not before any earlier commit and before every later one: the read time of a snapshot. */
  fence(): Timestamp;
  /** Makes `now` answer the given time while `run` runs: how a restored document keeps its times. */
  at<T>(time: Timestamp, run: () => T): T;
}

const MICROS_PER_MILLI = 1000;
const MICROS_PER_SECOND = 1_000_000;

export function makeClock(): Clock {
  let last = 0;
  let pinned: Timestamp | undefined;

  const moveTo = (micros: number) => {
    last = Math.max(last, micros, Date.now() * MICROS_PER_MILLI);
  };

  return {
    now() {
      if (pinned) return pinned;
      moveTo(0);
      return fromMicros(last);
    },
    tick() {
      moveTo(last + 1);
    },
    fence() {
      moveTo(0);
      const snapshot = Math.ceil(last / MICROS_PER_MILLI) * MICROS_PER_MILLI;
      moveTo(snapshot + MICROS_PER_MILLI - 1);
      return fromMicros(snapshot);
    },
    at(time, run) {
      moveTo(time.seconds * MICROS_PER_SECOND + Math.ceil(time.nanoseconds / 1000));
      pinned = time;
      try {
        return run();
      } finally {
        pinned = undefined;
      }
    },
  };
}

function fromMicros(micros: number): Timestamp {
  const seconds = Math.floor(micros / MICROS_PER_SECOND);
  return new Timestamp(seconds, (micros - seconds * MICROS_PER_SECOND) * 1000);
}
