import './settings.ts';

export { opsApi, proveAfterRun, proveMembers, watchMirrors } from './triggers/ops.ts';
export { followHints, reconcileMembers, syncFromDjango } from './triggers/portal.ts';
export { membershipSync, membershipSyncHourly } from './triggers/register.ts';
export { refreshRoster, runMemberListSync, syncMemberList } from './triggers/roster.ts';
export { bidirectionalSync, trackMemberChanges } from './triggers/twoway.ts';
