import './params.ts';

export { bidirectionalSync } from './triggers/bidirectional-sync.ts';
export { bidirectionalSyncNow } from './triggers/bidirectional-sync-now.ts';
export { followHints } from './triggers/follow-hints.ts';
export { membershipSync } from './triggers/membership-sync.ts';
export { membershipSyncHourly } from './triggers/membership-sync-hourly.ts';
export { opsApi } from './triggers/ops-api.ts';
export { reconcileMembers } from './triggers/reconcile-members.ts';
export { reconcileMembersNow } from './triggers/reconcile-members-now.ts';
export { refreshRoster } from './triggers/refresh-roster.ts';
export { resolveConflict } from './triggers/resolve-conflict.ts';
export { runMemberListSync } from './triggers/run-member-list-sync.ts';
export { syncFromDjango } from './triggers/sync-from-django.ts';
export { syncMemberList } from './triggers/sync-member-list.ts';
export { syncMemberNow } from './triggers/sync-member-now.ts';
export { trackMemberChanges } from './triggers/track-member-changes.ts';
export { watchMirrors } from './triggers/watch-mirrors.ts';
