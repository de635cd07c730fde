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

export interface LocalPostgres {
  /** A value for DATABASE_URL. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const DEFAULT_PORT = 5434;
const MAX_CONNECTIONS = 20;

/**
 * A PostgreSQL (18, in WebAssembly) that any driver reaches over a socket. It is one session: the server takes turns
 * between its connections, and while one is in a transaction the others wait. So clients must put statements with
 * parameters into explicit transactions, or two connections' messages are mixed up.
 *
 * Throws for a port in use or a folder that another process holds.
 */
export const startPostgres = async ({
  port = DEFAULT_PORT,
  dataDir,
  loadDataDir,
}: PostgresOptions = {}): Promise<LocalPostgres> => {
  const db = await PGlite.create({
    ...(dataDir !== undefined && { dataDir }),
    ...(loadDataDir !== undefined && { loadDataDir }),
  });
  const server = new PGLiteSocketServer({ db, port, host: '127.0.0.1', maxConnections: MAX_CONNECTIONS });
  try {
    await server.start();
  } catch (cause) {
    await db.close();
    const isInUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw isInUse
      ? new Error(`Port ${port} is in use, so the local database cannot start. Choose another port.`)
      : cause;
  }
  const bound = Number(server.getServerConn().split(':').at(-1));
  return {
    url: `postgres://postgres@127.0.0.1:${bound}/postgres`,
    port: bound,
    close: async () => {
      await server.stop();
      await db.close();
    },
  };
};
