/** One statement of a transaction. Values are always parameters; rows come as objects by column name. */
export type Query = <Row = Record<string, unknown>>(
  text: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

export interface Transaction {
  readonly query: Query;
  /** Throws `database_unavailable` when the answer was lost: then it may have taken effect. */
  commit(): Promise<void>;
  /** Never throws: a transaction whose connection is gone has been rolled back by the server. */
  rollback(): Promise<void>;
}

export interface TransactionLimits {
  /** One statement. */
  readonly statementMs?: number;
  /** Waiting for another transaction's lock. */
  readonly lockMs?: number;
  /** The server ends a transaction whose client says nothing for so long, so that a dead run holds no lock. */
  readonly idleMs?: number;
}

/**
 * The database. Everything runs in explicit transactions, with limits that end with them: PGlite's socket server
 * multiplexes all its connections over one session, where a statement outside a transaction could be mixed up with
 * another connection's, and a setting would outlive its user.
 *
 * Every failure is SyncError `database_unavailable`, `database_rejected` or `schema_outdated`.
 */
export interface Database {
  begin(limits?: TransactionLimits): Promise<Transaction>;
  /** Commits what `work` did, or rolls it back when it throws. Not retried. */
  transaction<T>(work: (query: Query) => Promise<T>, limits?: TransactionLimits): Promise<T>;
  close(): Promise<void>;
}
