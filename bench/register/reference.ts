import { performance } from 'node:perf_hooks';
import pg from 'pg';

/** What one sync took once the members had been read, which is the same work for both. */
export interface Work {
  readonly syncMs: number;
  /** Of that, waiting for the database. */
  readonly databaseMs: number;
  readonly statements: number;
}

export interface Contender {
  /** Loads the driver and connects: what a process does once is not measured. */
  readonly open: () => Promise<void>;
  readonly sync: (members: readonly Record<string, unknown>[]) => Promise<Work>;
  readonly close: () => Promise<void>;
}

/**
 * The algorithm that the register is measured against: read what is there, then one INSERT or UPDATE a member in one
 * transaction. An unchanged member is updated too, since its time of verification is a column.
 */
export const reference = (url: string): Contender => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  return {
    open: async () => {
      await pool.query('select 1');
    },
    sync: async (members) => {
      const started = performance.now();
      const client = await pool.connect();
      let statements = 0;
      const query = (text: string, values: unknown[] = []) => {
        statements += 1;
        return client.query(text, values);
      };
      try {
        await query('begin');
        const { rows } = await query('select kennitala from public.members where is_active');
        const held = new Set<unknown>(rows.map(({ kennitala }) => kennitala));
        for (const { id, kennitala, name, email, phone, date_joined, version } of members) {
          const metadata = JSON.stringify({ date_joined, version });
          const values = [kennitala, name, email, phone, String(id), metadata];
          if (held.delete(kennitala)) await query(UPDATE, values);
          else await query(INSERT, values);
        }
        for (const kennitala of held) await query(DEACTIVATE, [kennitala]);
        await query(`insert into public.sync_log (sync_type, status) values ('manual', 'success')`);
        await query('commit');
      } finally {
        client.release();
      }
      const syncMs = performance.now() - started;
      return { statements, databaseMs: syncMs, syncMs };
    },
    close: () => pool.end(),
  };
};

const INSERT = `insert into public.members (kennitala, name, email, phone, external_id, metadata, last_verified_at)
  values ($1, $2, $3, $4, $5, $6, now())`;
const UPDATE = `update public.members set name = $2, email = $3, phone = $4, external_id = $5, metadata = $6,
  is_active = true, removed_at = null, last_verified_at = now() where kennitala = $1`;
const DEACTIVATE = `update public.members set is_active = false, removed_at = now() where kennitala = $1`;
