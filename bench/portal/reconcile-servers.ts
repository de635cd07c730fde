import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { startFirestore } from '../../local/src/firestore/server.ts';
import { startRegistry } from '../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-benchmark';
/** What a network between the function and the stores would take, one way and back. */
const DELAY_MS = 5;

interface WriteRequest {
  readonly writes?: readonly { readonly update?: { readonly name?: string } }[];
}

/** The local stack's servers, in this process, with a registry of that many members and slow calls to Firestore. */
export const startReconcileServers = async (members: number) => {
  const firestore = await startFirestore({ projectId: PROJECT });
  const registry = await startRegistry({ members, port: 0, token: TOKEN });
  const app = initializeApp({ projectId: PROJECT }, `bench-${firestore.port}`);
  const db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  let changes = 0;

  const slow = (): void => {
    firestore.setDelay(DELAY_MS);
    registry.clearFaults();
    registry.addFault({ delay_ms: DELAY_MS });
  };

  return {
    /** What the platform and its emulators would tell a function. */
    env: {
      GCLOUD_PROJECT: PROJECT,
      FIREBASE_CONFIG: JSON.stringify({ projectId: PROJECT, storageBucket: `${PROJECT}.appspot.com` }),
      FUNCTIONS_EMULATOR: 'true',
      FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
      METADATA_SERVER_DETECTION: 'none',
      DJANGO_BASE_URL: registry.url,
      DJANGO_API_TOKEN: TOKEN,
      CHAIN_SIGNING_KEY: makeSigningKey(),
      TZ: 'UTC',
    },
    /** Forgets every member and every run. */
    empty: async (): Promise<void> => {
      await firestore.clear();
      slow();
    },
    /** Changes every hundredth member of the registry, and says how many that are. */
    changeOnePercent: (): number => {
      changes += 1;
      let changed = 0;
      for (let id = 1; id <= members; id += 100) {
        registry.updateMember(id, { name: `Breytt Nafn ${changes}` });
        changed += 1;
      }
      return changed;
    },
    /** Counts, from now on, the writes that are asked for in `members`. */
    countMemberWrites: (): (() => number) => {
      let count = 0;
      const forget = firestore.failNext({
        code: 13,
        matches: (request, method) => {
          if (method !== 'commit' && method !== 'batchWrite') return false;
          for (const write of (request as WriteRequest).writes ?? []) {
            if (write.update?.name?.includes('/documents/members/')) count += 1;
          }
          return false;
        },
      });
      return () => {
        forget();
        return count;
      };
    },
    memberCount: async (): Promise<number> =>
      (await db.collection('members').where('membership.status', '==', 'active').count().get()).data().count,
    close: async (): Promise<void> => {
      await deleteApp(app);
      await Promise.all([firestore.close(), registry.close()]);
    },
  };
};

export type ReconcileServers = Awaited<ReturnType<typeof startReconcileServers>>;
