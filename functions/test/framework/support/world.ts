import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalAuth, startAuth } from '../../../../local/src/auth/start-auth.ts';
import { type LocalFirestore, startFirestore } from '../../../../local/src/firestore/server.ts';
import { type LocalRegistry, startRegistry } from '../../../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../../../local/src/secrets.ts';
import { type LocalStorage, startStorage } from '../../../../local/src/storage/index.ts';

export const PROJECT = 'demo-ekklesia';
export const WEBHOOK_SECRET = `whsec_${randomBytes(24).toString('base64')}`;
/** Two that are in force: a caller may start ten runs a minute. */
export const ADMIN_KEYS = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')] as const;
const TOKEN = 'token-of-the-tests';

export interface World {
  readonly firestore: LocalFirestore;
  readonly storage: LocalStorage;
  readonly registry: LocalRegistry;
  readonly auth: LocalAuth;
  readonly folder: string;
  /** What a function needs to find all of them, with its secrets. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Everything that the functions talk to, but PostgreSQL. */
export const startWorld = async (members: number): Promise<World> => {
  const folder = await mkdtemp(join(tmpdir(), 'framework-'));
  const firestore = await startFirestore({ projectId: PROJECT });
  const storage = await startStorage({ directory: folder });
  const registry = await startRegistry({ port: 0, members, token: TOKEN });
  const auth = await startAuth({ projectId: PROJECT, port: 0 });
  return {
    firestore,
    storage,
    registry,
    auth,
    folder,
    env: {
      FUNCTIONS_EMULATOR: 'true',
      FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
      STORAGE_EMULATOR_HOST: storage.url,
      FIREBASE_AUTH_EMULATOR_HOST: auth.emulatorHost,
      DJANGO_BASE_URL: registry.url,
      DJANGO_API_TOKEN: TOKEN,
      DJANGO_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ADMIN_API_KEY: ADMIN_KEYS.join(' '),
      MEMBER_REFERENCE_KEY: 'key of the tests',
      CHAIN_SIGNING_KEY: makeSigningKey(),
    },
    close: async () => {
      await Promise.all([firestore.close(), storage.close(), registry.close(), auth.close()]);
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
};
