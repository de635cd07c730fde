import { join } from 'node:path';
import { type LocalStack, PROJECT_ID, REGION, startStack } from '../../../src/stack.ts';
import { type DjangoServer, startDjango } from './django-server.ts';
import { findFreePorts } from './free-ports.ts';

/** Sent with each webhook; the functions expect it. */
export const LEGACY_KEY = 'key-that-an-old-registry-sends';

export interface LegacyStack {
  readonly registry: DjangoServer;
  readonly stack: LocalStack;
  /** Of Firestore. */
  readonly firestorePort: number;
  close(): Promise<void>;
}

/** Django without the companion app, one worker process, and the functions that take its key. */
export const startLegacyStack = async (folder: string, members: number): Promise<LegacyStack> => {
  const [
    functions = 0,
    firestore = 0,
    storage = 0,
    auth = 0,
    unused = 0,
    django = 0,
    postgres = 0,
    page = 0,
  ] = await findFreePorts(8);
  const registry = await startDjango({
    port: django,
    members,
    webhookUrl: `http://127.0.0.1:${functions}/${PROJECT_ID}/${REGION}/syncFromDjango`,
    webhookSecrets: [],
    legacyKey: LEGACY_KEY,
  });
  try {
    const stack = await startStack({
      data: join(folder, 'stack'),
      register: false,
      ports: { functions, firestore, storage, auth, postgres, dashboard: page, registry: unused },
      django: { url: registry.url, token: registry.token },
      secrets: { SYNC_API_KEY: LEGACY_KEY },
      settings: { ALLOW_LEGACY_WEBHOOK_AUTH: 'true' },
    });
    return {
      registry,
      stack,
      firestorePort: firestore,
      close: async () => {
        await stack.close();
        await registry.close();
      },
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
};
