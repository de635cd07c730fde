import { fileURLToPath } from 'node:url';
import { startFirestore } from '../../local/src/firestore/server.ts';
import { startFunctions } from '../../local/src/functions/start-functions.ts';
import { makeMemoryJournal } from '../../local/src/registry/journal.ts';
import { openState } from '../../local/src/registry/state/registry-state.ts';
import { makeEvent } from '../../local/src/registry/webhooks/make-event.ts';
import { signEvent } from '../../local/src/registry/webhooks/sign-event.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';
import type { WebhookRequest } from './webhook-load.ts';

const PROJECT = 'demo-ekklesia';
const REGION = 'europe-west2';
const SECRET = `whsec_${Buffer.from('a secret of the benchmark alone.').toString('base64')}`;
const KEY = 'key-of-the-benchmark';
const GENERATION = { seed: 20_261_120, placeholders: 0, hyphenated: 0.01 };

export const CONTENDERS = ['ours', 'reference'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

const MODULES: Record<ContenderName, string> = {
  ours: '../../functions/lib/index.js',
  reference: './webhook-reference.ts',
};

/** One Firestore, and both handlers served as the local stack serves functions, each in a process of its own. */
export const startWebhookServers = async (members: number) => {
  const firestore = await startFirestore({ projectId: PROJECT });
  const serve = (name: ContenderName) =>
    startFunctions({
      modulePath: fileURLToPath(new URL(MODULES[name], import.meta.url)),
      projectId: PROJECT,
      port: 0,
      env: {
        FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
        DJANGO_BASE_URL: 'http://127.0.0.1:9',
        DJANGO_API_TOKEN: 'none',
        DJANGO_WEBHOOK_SECRET: SECRET,
        MEMBER_REFERENCE_KEY: 'key-of-the-benchmark-for-references',
        CHAIN_SIGNING_KEY: makeSigningKey(),
        SYNC_BUCKET: `${PROJECT}.appspot.com`,
        SYNC_API_KEY: KEY,
      },
    });
  const served = { ours: await serve('ours'), reference: await serve('reference') };
  const events = makeEvents(members);

  return {
    firestore,
    url: (name: ContenderName): string => `${served[name].url}/${PROJECT}/${REGION}/syncFromDjango`,
    /** The next event of so many members, one each, with what both handlers want to see. */
    next: (count: number): WebhookRequest[] => events(count).map(({ id, body }) => toRequest(id, body)),
    close: async (): Promise<void> => {
      await Promise.all([served.ours.close(), served.reference.close()]);
      await firestore.close();
    },
  };
};

export type WebhookServers = Awaited<ReturnType<typeof startWebhookServers>>;

/** Events of generated members: each call changes the next ones, and begins again after the last member. */
const makeEvents = (members: number) => {
  const made: { readonly id: number; readonly body: string }[] = [];
  const state = openState({
    journal: makeMemoryJournal({ ...GENERATION, members }),
    announce: true,
    onAnnounce: (change, directory) => made.push(makeEvent(change, directory)),
  });
  let turn = 0;
  return (count: number) => {
    made.length = 0;
    for (let n = 0; n < count; n += 1, turn += 1) {
      state.update(turn % members, { contact_info: { email: `nytt.${turn}@postur.example` } });
    }
    return [...made];
  };
};

const toRequest = (id: number, body: string): WebhookRequest => ({
  body,
  headers: {
    'content-type': 'application/json',
    authorization: `Bearer ${KEY}`,
    ...signEvent(`msg_${id}`, body, [SECRET], new Date()),
  },
});
