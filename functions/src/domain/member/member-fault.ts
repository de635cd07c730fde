import { SyncError } from '../../lib/errors.ts';

/** What to throw for a member that cannot be mapped. It names the path and what belongs there, never the value. */
export const memberFault = (path: string, expectation: string): SyncError =>
  new SyncError('member_invalid', `${path} ${expectation}.`, { details: { path } });
