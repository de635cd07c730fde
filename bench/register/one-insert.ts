import { performance } from 'node:perf_hooks';
import pg from 'pg';
import type { Contender } from './reference.ts';

/**
 * The least that a first load can be: one INSERT of all members, in one transaction. It compares nothing, guards nothing
 * and logs nothing. What our first load is above it is the price of a sync that can be explained.
 */
export const oneInsert = (url: string): Contender => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  return {
    open: async () => {
      await pool.query('select 1');
    },
    sync: async (members) => {
      const started = performance.now();
      // One text a column, as our own sync sends them: arrays would take the driver and the server longer.
      const column = (of: (member: Record<string, unknown>) => unknown) => members.map(of).join(SEPARATOR);
      await pool.query(INSERT, [
        column(({ kennitala }) => kennitala),
        column(({ name }) => name),
        column(({ email }) => email),
        column(({ phone }) => phone),
        column(({ id }) => String(id)),
        column(({ date_joined, version }) => JSON.stringify({ date_joined, version })),
      ]);
      const syncMs = performance.now() - started;
      return { statements: 1, databaseMs: syncMs, syncMs };
    },
    close: () => pool.end(),
  };
};

const SEPARATOR = '\u001f';

const INSERT = `insert into public.members (kennitala, name, email, phone, external_id, metadata, last_verified_at)
  select k, n, e, p, x, m::jsonb, now()
    from unnest(${[1, 2, 3, 4, 5, 6].map((n) => `string_to_array($${n}, e'\\x1f')`).join(', ')}) as sent(k, n, e, p, x, m)`;
