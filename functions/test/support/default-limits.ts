import type { GuardLimits } from '../../src/mirror/guard.ts';

/** The limits that `settings.ts` has for a project that sets none, written down once more so that a test sees a change. */
export const DEFAULT_LIMITS: GuardLimits = {
  removedPercent: 5,
  removedFloor: 10,
  removedMax: 500,
  addedPercent: 50,
  addedFloor: 50,
  changedPercent: 50,
  changedFloor: 50,
  blankedPercent: 5,
  blankedFloor: 10,
  quarantinedPercent: 1,
  quarantinedFloor: 5,
};
