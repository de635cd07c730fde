import './params.ts';

export { reconcileMembers } from './triggers/reconcile-members.ts';
export { reconcileMembersNow } from './triggers/reconcile-members-now.ts';
export { refreshRoster } from './triggers/refresh-roster.ts';
export { runMemberListSync } from './triggers/run-member-list-sync.ts';
export { syncFromDjango } from './triggers/sync-from-django.ts';
export { syncMemberList } from './triggers/sync-member-list.ts';
export { syncMemberNow } from './triggers/sync-member-now.ts';
