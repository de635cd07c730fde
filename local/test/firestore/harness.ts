import { randomUUID } from 'node:crypto';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, initializeFirestore } from 'firebase-admin/firestore';
import { afterAll, beforeAll } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../src/firestore/server.ts';

/** A server that speaks the same protocol, `host:port`: the suite then describes that one. */
const OTHER_SERVER = process.env['CONFORMANCE_FIRESTORE_HOST'];

export interface Conformance {
  /** A project of its own for each file, so that nothing of another run is found. */
  readonly projectId: string;
  /** A client with a connection of its own; the first call's is shared by the file. */
  client(): Firestore;
}

/** The server under test and real firebase-admin clients of it, for the tests of one file. */
export function useConformance(): Conformance {
  const projectId = `demo-${randomUUID().slice(0, 8)}`;
  const clients = makeClients(projectId);
  let server: LocalFirestore | undefined;

  beforeAll(async () => {
    server = OTHER_SERVER ? undefined : await startFirestore({ projectId });
    useServer(server);
  });
  afterAll(async () => {
    await clients.close();
    await server?.close();
  });
  return { projectId, client: clients.open };
}

/** Sends the clients that are made from now on to this server. */
export function useServer(server: LocalFirestore | undefined): void {
  process.env['FIRESTORE_EMULATOR_HOST'] = server ? `${server.host}:${server.port}` : (OTHER_SERVER ?? '');
}

export function makeClients(projectId: string) {
  const opened: (() => Promise<void>)[] = [];
  return {
    open(): Firestore {
      const app = initializeApp({ projectId }, randomUUID());
      const firestore = initializeFirestore(app, { preferRest: false });
      opened.push(async () => {
        await firestore.terminate();
        await deleteApp(app);
      });
      return firestore;
    },
    async close(): Promise<void> {
      await Promise.all(opened.splice(0).map((close) => close()));
    },
  };
}

/** The gRPC code that a call is refused with; 0 when it is not. */
export async function codeOf(call: Promise<unknown>): Promise<number> {
  try {
    await call;
    return 0;
  } catch (error) {
    return error instanceof Error && 'code' in error ? Number(error.code) : -1;
  }
}
