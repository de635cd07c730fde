import { makeDatabases } from './database.ts';
import { type DocumentChange, hasNewData } from './events.ts';
import { type Faults, makeFaults } from './faults.ts';
import { openJournal } from './journal.ts';
import { listenOn, makeGrpcServer } from './serve.ts';

export type { DocumentChange } from './events.ts';
export { type CloudEventOptions, type HttpCloudEvent, toCloudEvent } from './events.ts';
export type { Fault, RpcMethod } from './faults.ts';

export interface LocalFirestoreOptions {
  /** The project whose `(default)` database is there from the start; others come with their first use. */
  projectId: string;
  /** 0, the default, lets the system choose. */
  port?: number;
  /** Where the documents are kept over restarts; in memory only when absent. One server a file. */
  dataFile?: string;
}

export interface LocalFirestore extends Pick<Faults, 'failNext' | 'setDelay'> {
  readonly host: string;
  readonly port: number;
  /**
   * Calls the listener once for each document whose data a commit changed, after the commit, in order.
   * @returns a function that ends it
   */
  onDocumentWritten(listener: (change: DocumentChange) => void): () => void;
  /** Deletes every document without firing a trigger, and forgets delays and faults. */
  clear(): Promise<void>;
  /** Ends every call under way; what was committed is on the disk when the promise resolves. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * A Firestore that the real client libraries talk to (`FIRESTORE_EMULATOR_HOST=host:port`), for development and tests.
 * README.md lists where it differs from Cloud Firestore.
 *
 * @throws Error when the port is taken or `dataFile` is damaged
 */
export async function startFirestore(options: LocalFirestoreOptions): Promise<LocalFirestore> {
  const { projectId, dataFile } = options;
  const faults = makeFaults();
  const listeners = new Set<(change: DocumentChange) => void>();
  const journal = dataFile === undefined ? undefined : openJournal(dataFile);

  const databases = makeDatabases((changes, { triggers }) => {
    journal?.append(changes);
    if (!triggers) return;
    // A listener runs in its own turn: what it throws must not look like a refusal of the commit.
    for (const change of changes.filter(hasNewData)) {
      for (const listener of listeners) setImmediate(listener, change);
    }
  });
  databases.find(`projects/${projectId}/databases/(default)`);
  for (const { name = null, fields = {} } of journal?.restored ?? []) {
    const { engine } = databases.find(name);
    await engine.commit({ writes: [{ update: { name, fields } }] });
  }

  const server = makeGrpcServer(databases.find, faults);
  const port = await listenOn(server, HOST, options.port ?? 0);

  return {
    host: HOST,
    port,
    failNext: faults.failNext,
    setDelay: faults.setDelay,
    onDocumentWritten(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async clear() {
      faults.clear();
      await Promise.all(databases.all().map((database) => database.clear()));
    },
    async close() {
      server.forceShutdown();
      await databases.close();
      journal?.close();
    },
  };
}
