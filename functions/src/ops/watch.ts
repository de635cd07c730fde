import { UNPROVED_SECONDS } from '../proof/prove.ts';
import type { Concern, ConcernCode, OpsLogs } from './ops-logs.ts';
import type { StatusAnswer } from './schemas.ts';

const DAY_SECONDS = 24 * 3_600;

/** Looks at everything once and logs each concern, for the alert policies to find. Throws what `readStatus` throws. */
export const watchMirrors = async (readStatus: () => Promise<StatusAnswer>, logs: OpsLogs): Promise<void> => {
  const concerns = findConcerns(await readStatus());
  for (const concern of concerns) logs.concern(concern);
  logs.watched(concerns.length);
};

/** Pure. */
export const findConcerns = ({ at, mirrors, portal, proof, twoWay }: StatusAnswer): Concern[] => {
  const ageOf = (time: string | null): number =>
    time === null ? 0 : Math.floor((Date.parse(at) - Date.parse(time)) / 1_000);
  const concerns: Concern[] = [];
  for (const { mirror, why, ageSeconds, paused } of mirrors) {
    if (why.includes('overdue')) concerns.push({ code: 'mirror_overdue', mirror, ageSeconds });
    if (why.includes('ahead_of_registry')) {
      concerns.push({ code: 'ahead_of_registry', mirror, count: portal.aheadOfRegistry });
    }
    if (why.includes('hints_unconfirmed')) {
      const ageSeconds = ageOf(portal.oldestUnconfirmedHintAt);
      concerns.push({ code: 'hints_unconfirmed', mirror, count: portal.unconfirmedHints, ageSeconds });
    }
    if (why.includes('run_crashed')) concerns.push({ code: 'run_crashed', mirror });
    if (why.includes('paused_too_long')) {
      concerns.push({ code: 'mirror_paused_too_long', mirror, ageSeconds: ageOf(paused?.since ?? null) });
    }
  }
  // A proof that found no equality has said so itself; one that was not made says nothing.
  const proofAge = ageOf(proof?.at ?? null);
  if (proofAge >= UNPROVED_SECONDS) concerns.push({ code: 'not_proved', ageSeconds: proofAge });
  const waiting = (code: ConcernCode, count: number, oldest: string | null): void => {
    const ageSeconds = ageOf(oldest);
    if (ageSeconds > DAY_SECONDS) concerns.push({ code, count, ageSeconds });
  };
  waiting('dead_letters_old', twoWay.deadLetters, twoWay.oldestDeadLetterAt);
  waiting('conflicts_old', twoWay.openConflicts, twoWay.oldestOpenConflictAt);
  waiting('queue_stuck', twoWay.pending, twoWay.oldestPendingAt);
  return concerns;
};
