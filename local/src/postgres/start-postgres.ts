import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

export interface PostgresOptions {
  /** 0 takes a free one. */
  readonly port?: number;
  /** Where the database lives; without it in memory. */
  readonly dataDir?: string;
  /** What another one dumped, to begin with. */
  readonly loadDataDir?: Blob;
}

export type LocalPostgres = Awaited<ReturnType<typeof startPostgres>>;

const DEFAULT_PORT = 5434;
const MAX_CONNECTIONS = 20;

/** The limits whose passing ends a session, however a statement sets them. */
const ENDING_LIMIT =
  /((?:idle_in_transaction_session|idle_session|transaction)_timeout'?\s*(?:=|to\b|,)\s*'?)(\d+)/gi;

/**
 * The only session's end would be the whole process's: a debugger that stops in a transaction for a minute must not do
 * that. So such a limit reads 0, which is none, in as many bytes as it had.
 */
const keepIdleTransactions = (db: PGlite): void => {
  const run = db.execProtocolRawStream.bind(db);
  db.execProtocolRawStream = (message, options) => {
    // latin1: a byte a character, so that all others stay what they are.
    const text = Buffer.from(message).toString('latin1');
    const changed = text.replaceAll(
      ENDING_LIMIT,
      (_, before: string, digits: string) => before + '0'.repeat(digits.length),
    );
    return run(changed === text ? message : Buffer.from(changed, 'latin1'), options);
  };
};

/**
 * A PostgreSQL (18, in WebAssembly) that any driver reaches over a socket. It is one session: the server takes turns
 * between its connections, and while one is in a transaction the others wait. So clients must put statements with
 * parameters into explicit transactions, or two connections' messages are mixed up. No limit on time ever fires
 * (`docs/local-stack.md`).
 *
 * Throws for a port in use or a folder that another process holds.
 */
export const startPostgres = async ({ port = DEFAULT_PORT, dataDir, loadDataDir }: PostgresOptions = {}) => {
  const db = await PGlite.create({
    ...(dataDir !== undefined && { dataDir }),
    ...(loadDataDir !== undefined && { loadDataDir }),
  });
  keepIdleTransactions(db);
  const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: MAX_CONNECTIONS });
  try {
    await server.start();
  } catch (cause) {
    await db.close();
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new Error(`Port ${port} is in use, so the local database cannot start. Choose another port.`);
  }
  const bound = Number(server.getServerConn().split(':').at(-1));
  return {
    /** A value for DATABASE_URL. */
    url: `postgres://postgres@127.0.0.1:${bound}/postgres`,
    port: bound,
    close: async (): Promise<void> => {
      await server.stop();
      await db.close();
    },
  };
};
