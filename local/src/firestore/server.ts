import { makeDatabase } from './database.ts';
import { makeEngine } from './engine.ts';
import { type DocumentChange, hasNewData } from './events.ts';
import { openJournal } from './journal.ts';
import { listenOn, makeFaults, makeGrpcServer } from './serve.ts';

export type { DocumentChange } from './events.ts';

export interface LocalFirestoreOptions {
  /** The project whose `(default)` database this is; every other one is refused. */
  projectId: string;
  /** 0, the default, lets the system choose. */
  port?: number;
  /** Where the documents are kept over restarts; in memory only when absent. One server a file. */
  dataFile?: string;
}

export type LocalFirestore = Awaited<ReturnType<typeof startFirestore>>;

const HOST = '127.0.0.1';

/**
 * A Firestore that the real client libraries talk to (`FIRESTORE_EMULATOR_HOST=host:port`), for development and tests.
 * README.md lists where it differs from Cloud Firestore.
 *
 * @throws Error when the port is taken or `dataFile` is damaged
 */
export async function startFirestore(options: LocalFirestoreOptions) {
  const { projectId, dataFile } = options;
  const faults = makeFaults();
  const listeners = new Set<(change: DocumentChange) => void>();
  const journal = dataFile === undefined ? undefined : openJournal(dataFile);

  const name = `projects/${projectId}/databases/(default)`;
  const engine = makeEngine(name);
  const restored = (journal?.restored ?? []).map(({ name = null, fields = {} }) => ({ name, fields }));
  for (const update of restored) await engine.commit({ writes: [{ update }] });
  const database = makeDatabase(name, engine, (changes, { triggers }) => {
    journal?.append(changes);
    if (!triggers) return;
    // A listener runs in its own turn: what it throws must not look like a refusal of the commit.
    for (const change of changes.filter(hasNewData)) {
      for (const listener of listeners) setImmediate(listener, change);
    }
  });

  const server = makeGrpcServer(database, faults);
  const port = await listenOn(server, HOST, options.port ?? 0);

  return {
    host: HOST,
    port,
    failNext: faults.failNext,
    setDelay: faults.setDelay,
    /**
     * Calls the listener once for each document whose data a commit changed, after the commit, in order.
     * @returns a function that ends it
     */
    onDocumentWritten(listener: (change: DocumentChange) => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** Deletes every document without firing a trigger, and forgets delays and faults. */
    async clear(): Promise<void> {
      faults.clear();
      await database.clear();
    },
    /** Ends every call under way; what was committed is on the disk when the promise resolves. */
    async close(): Promise<void> {
      server.forceShutdown();
      await engine.close();
      journal?.close();
    },
  };
}
