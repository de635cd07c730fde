import './params.ts';

export { runMemberListSync } from './triggers/run-member-list-sync.ts';
export { syncMemberList } from './triggers/sync-member-list.ts';
