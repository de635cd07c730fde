import type { Firestore } from 'firebase-admin/firestore';
import { makeFaults } from '../../../local/src/firestore/serve.ts';
import type { LocalFirestore } from '../../../local/src/firestore/server.ts';
import type { MakeCall } from './memory/call.ts';
import { makeMemoryFirestore } from './memory/firestore.ts';

type Method = Parameters<ReturnType<typeof makeFaults>['before']>[0];

/**
 * A Firestore in memory in the place of the local server, where mutants ask a suite a thousand times what a feature decides: hundreds
 * of times as quick, and held to the same contract. It tells of nothing that was written, and a fault knows of a request its
 * collections alone.
 */
export const openMemoryServer = (): { readonly db: Firestore; readonly server: LocalFirestore } => {
  const memory = makeMemoryFirestore(Date.now);
  const faults = makeFaults();
  const call: MakeCall = async (_server, what, effect) => {
    const method = methodOf(what);
    const request = {
      writes: collectionsOf(what).map((name) => ({ update: { name: `/documents/${name}/` } })),
    };
    await faults.before(method, request);
    const value = effect();
    faults.after(method, request);
    return value;
  };
  const absent = (): never => {
    throw new Error('A Firestore in memory has no address and tells nobody of writes: start a server.');
  };
  return {
    db: memory.clientOf(call, async () => undefined, Math.random),
    server: {
      failNext: faults.failNext,
      setDelay: faults.setDelay,
      onDocumentWritten: absent,
      clear: async () => faults.clear(),
      close: async () => undefined,
      get host() {
        return absent();
      },
      get port() {
        return absent();
      },
    },
  };
};

/** What the memory says that a call does, such as `create members` or `commit members, webhook_events`, as the server calls it. */
const methodOf = (what: string): Method => {
  if (what.startsWith('commit')) return 'commit';
  if (what.startsWith('query') || what.startsWith('list')) return 'runQuery';
  return what.startsWith('read') ? 'batchGetDocuments' : 'batchWrite';
};

const collectionsOf = (what: string): string[] =>
  /^(?:commit|create|set|merge|update|delete) (?!a transaction)(.*)$/.exec(what)?.[1]?.split(', ') ?? [];
