import type { Method } from '../evaluator/ast.ts';
import type { Fields } from '../evaluator/decide.ts';
import { ADMINS, EVERYBODY } from './people.ts';
import type { RulesCase } from './rules-case.ts';

interface Collection {
  readonly collection: string;
  readonly record: Fields;
  readonly readers: 'admins' | 'nobody';
}

const COLLECTIONS: readonly Collection[] = [
  {
    collection: 'sync_audit',
    record: { mirror: 'roster', status: 'success', memberCount: 2216 },
    readers: 'admins',
  },
  { collection: 'sync_audit/run-1/changes', record: { addedKennitalas: [] }, readers: 'admins' },
  { collection: 'sync_queue', record: { sync_status: 'pending', retry_count: 0 }, readers: 'admins' },
  { collection: 'sync_conflicts', record: { state: 'open' }, readers: 'admins' },
  { collection: 'sync_logs', record: { type: 'bidirectional_sync' }, readers: 'admins' },
  { collection: 'sync_state', record: { lease: { owner: 'run-1' } }, readers: 'nobody' },
  { collection: 'webhook_receipts', record: { result: 'applied' }, readers: 'nobody' },
  { collection: 'webhook_hints', record: { state: 'following' }, readers: 'nobody' },
  { collection: 'roster_refreshes', record: { requestedAt: 'a time' }, readers: 'nobody' },
  { collection: 'operator_actions', record: { action: 'pause' }, readers: 'nobody' },
  // Depths and names that no rule mentions, beside those that one does.
  { collection: 'sync_audit/run-1/other', record: { a: 1 }, readers: 'nobody' },
  { collection: 'sync_audit/run-1/changes/1/deeper', record: { a: 1 }, readers: 'nobody' },
  { collection: 'sync_queue/change-1/attempts', record: { a: 1 }, readers: 'nobody' },
  { collection: 'members/0101302399/private', record: { a: 1 }, readers: 'nobody' },
  { collection: 'sync_audits', record: { a: 1 }, readers: 'nobody' },
  { collection: 'unmentioned', record: { a: 1 }, readers: 'nobody' },
];

const METHODS: readonly Method[] = ['get', 'list', 'create', 'update', 'delete'];

/** The servers' records, each method by each person: administrators read some, nobody writes any. */
export const RECORD_CASES: readonly RulesCase[] = COLLECTIONS.flatMap(({ collection, record, readers }) =>
  METHODS.flatMap((operation) =>
    EVERYBODY.map((who): RulesCase => {
      const isRead = operation === 'get' || operation === 'list';
      const isAllowed = isRead && readers === 'admins' && ADMINS.includes(who);
      return {
        title: `${who} ${isAllowed ? 'may' : 'may not'} ${operation} in ${collection}`,
        service: 'firestore',
        who,
        path: operation === 'list' ? collection : `${collection}/record-1`,
        operation,
        before: operation === 'create' ? null : record,
        ...(operation === 'create' ? { change: { set: record } } : {}),
        ...(operation === 'update' ? { change: { update: { a: 2 } } } : {}),
        expect: isAllowed ? 'allow' : 'deny',
      };
    }),
  ),
);
