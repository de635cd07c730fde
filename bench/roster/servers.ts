import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Firestore } from '@google-cloud/firestore';
import { Storage } from '@google-cloud/storage';
import { startFirestore } from '../../local/src/firestore/server.ts';
import { startRegistry } from '../../local/src/registry/start-registry.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';
import { startStorage } from '../../local/src/storage/index.ts';

const PROJECT = 'demo-ekklesia';
const BUCKET = `${PROJECT}.appspot.com`;
const TOKEN = 'token-of-the-benchmark';

/** The local stack's servers, in this process, with a registry of that many members. */
export const startServers = async (members: number) => {
  const folder = await mkdtemp(join(tmpdir(), 'bench-roster-'));
  const firestore = await startFirestore({ projectId: PROJECT });
  const storage = await startStorage({ directory: join(folder, 'storage') });
  const registry = await startRegistry({ members, port: 0, token: TOKEN });
  const client = new Storage({ projectId: PROJECT, apiEndpoint: storage.url });
  const file = client.bucket(BUCKET).file('kennitalas.txt');
  const database = new Firestore({
    projectId: PROJECT,
    host: `${firestore.host}:${firestore.port}`,
    ssl: false,
  });
  const state = database.doc('sync_state/roster');

  return {
    /** What the platform and its emulators would tell a function. */
    env: {
      GCLOUD_PROJECT: PROJECT,
      FIREBASE_CONFIG: JSON.stringify({ projectId: PROJECT, storageBucket: BUCKET }),
      FUNCTION_TARGET: 'syncMemberList',
      FUNCTIONS_EMULATOR: 'true',
      FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
      STORAGE_EMULATOR_HOST: storage.url,
      METADATA_SERVER_DETECTION: 'none',
      DJANGO_BASE_URL: registry.url,
      DJANGO_API_TOKEN: TOKEN,
      CHAIN_SIGNING_KEY: makeSigningKey(),
      // 1% of a million is more than the guard lets through unseen.
      GUARD_REMOVED_MAX: '1000000',
      TZ: 'UTC',
    },
    /** The export as the registry sends it, which also makes the registry keep it ready. */
    exported: async (): Promise<string[]> => {
      const answer = await fetch(`${registry.url}/api/members/kennitalas/`, {
        headers: { authorization: `Token ${TOKEN}` },
      });
      return ((await answer.json()) as { kennitalas: string[] }).kennitalas;
    },
    /** Forgets every run and every published list. */
    clear: async (): Promise<void> => {
      await firestore.clear();
      await file.delete({ ignoreNotFound: true });
    },
    /** A list that an earlier run has published, and that run's word that it did. */
    publish: async (text: string): Promise<void> => {
      await file.save(text, { resumable: false, contentType: 'text/plain; charset=utf-8' });
      const memberCount = text.split('\n').length - 1;
      await state.set({ lastSuccess: { runId: 'bench', at: new Date(), memberCount } });
    },
    published: async (): Promise<string> => (await file.download())[0].toString('latin1'),
    close: async (): Promise<void> => {
      await database.terminate();
      await Promise.all([firestore.close(), storage.close(), registry.close()]);
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
};

export type Servers = Awaited<ReturnType<typeof startServers>>;
