import { FirestoreMock } from '@firebase-bridge/firestore-admin';
import { type ChangeSink, type Database, makeDatabase } from './database.ts';
import { makeEngine } from './engine.ts';
import { parseResourceName } from './resource-name.ts';

/** Every database of every project; one is made when it is first named. */
export interface Databases {
  /** @throws RpcError INVALID_ARGUMENT (3) for a name that names no database */
  find(name: string | null | undefined): Database;
  all(): Database[];
  close(): Promise<void>;
}

export function makeDatabases(sink: ChangeSink): Databases {
  const mock = new FirestoreMock();
  const databases = new Map<string, Database>();
  return {
    find(name) {
      const id = parseResourceName(name).database;
      const known = databases.get(id);
      if (known) return known;
      const database = makeDatabase(id, makeEngine(mock, id), sink);
      databases.set(id, database);
      return database;
    },
    all: () => [...databases.values()],
    async close() {
      await Promise.all([...databases.values()].map(({ engine }) => engine.close()));
      mock.deleteAll();
    },
  };
}
