import type { RegisterDifferences } from '../../../src/register/ports.ts';

/** Ten members, and nothing that differs. */
export const NO_DIFFERENCES: RegisterDifferences = {
  active: 10,
  inactive: 0,
  added: [],
  reactivated: [],
  updated: [],
  removed: [],
  blanked: { name: 0, email: 0, phone: 0 },
  unchanged: 10,
  digest: 'd',
};
