import type { RegisterLookup } from '../../ops/ports.ts';
import { makeCheckedTransactions } from './checked-transaction.ts';
import type { Database } from './database.ts';

interface Row {
  readonly is_active: boolean;
  readonly added_at: Date | null;
  readonly removed_at: Date | null;
}

/** Whether the register has a person, for an operator's question. Throws `database_*`, `schema_outdated`. */
export const makeRegisterLookup = (database: Database): RegisterLookup => ({
  find: (kennitala) =>
    makeCheckedTransactions(database)(async (query) => {
      const [row] = await query<Row>(
        'select is_active, added_at, removed_at from public.members where kennitala = $1',
        [kennitala],
      );
      if (row === undefined) return { state: 'absent' };
      return {
        state: row.is_active ? 'active' : 'inactive',
        addedAt: row.added_at?.toISOString() ?? null,
        removedAt: row.removed_at?.toISOString() ?? null,
      };
    }),
});
