import { fileURLToPath } from 'node:url';
import { type BulkWriter, Firestore } from '@google-cloud/firestore';
import { toMemberDocument } from '../../functions/src/adapters/firestore/member-document.ts';
import { decideChange } from '../../functions/src/domain/member/decide-change.ts';
import { parseMemberChange } from '../../functions/src/domain/member/member-change.ts';
import { type LocalFirestore, startFirestore } from '../../local/src/firestore/server.ts';
import { startFunctions } from '../../local/src/functions/start-functions.ts';
import { makeEvent, signEvent } from '../../local/src/registry/events.ts';
import { makeMemoryJournal } from '../../local/src/registry/journal.ts';
import { openState } from '../../local/src/registry/state.ts';
import { makeSigningKey } from '../../local/src/secrets.ts';
import type { WebhookRequest } from './webhook-load.ts';

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
/** A Firestore each: what one writes is not what the other would find. */
const PROJECTS: Record<ContenderName, string> = { ours: 'demo-ours', reference: 'demo-reference' };

/**
 * Both handlers served as the local stack serves functions, each in a process and with a Firestore of its own that holds every
 * member as that handler writes them.
 */
export const startWebhookServers = async (members: number, env: Readonly<Record<string, string>> = {}) => {
  const serve = async (name: ContenderName) => {
    const firestore = await startFirestore({ projectId: PROJECTS[name] });
    const functions = await startFunctions({
      modulePath: fileURLToPath(new URL(MODULES[name], import.meta.url)),
      projectId: PROJECTS[name],
      port: 0,
      env: {
        FIRESTORE_EMULATOR_HOST: `${firestore.host}:${firestore.port}`,
        DJANGO_BASE_URL: 'http://127.0.0.1:9',
        DJANGO_API_TOKEN: 'none',
        DJANGO_WEBHOOK_SECRET: SECRET,
        MEMBER_REFERENCE_KEY: 'key-of-the-benchmark-for-references',
        CHAIN_SIGNING_KEY: makeSigningKey(),
        SYNC_BUCKET: `${PROJECTS[name]}.appspot.com`,
        SYNC_API_KEY: KEY,
        ...env,
      },
    });
    return { firestore, functions };
  };
  const served = { ours: await serve('ours'), reference: await serve('reference') };
  const events = makeEvents(members);
  for (const name of CONTENDERS) await fill(name, served[name].firestore, events(members));

  return {
    /** Milliseconds that every call of either Firestore waits. */
    setDelay: (milliseconds: number): void => {
      for (const name of CONTENDERS) served[name].firestore.setDelay(milliseconds);
    },
    url: (name: ContenderName): string =>
      `${served[name].functions.url}/${PROJECTS[name]}/${REGION}/syncFromDjango`,
    /** The next event of so many members, one each, with what both handlers want to see. */
    next: (count: number): WebhookRequest[] => events(count).map(({ id, body }) => toRequest(id, body)),
    close: async (): Promise<void> => {
      for (const { functions, firestore } of [served.ours, served.reference]) {
        await functions.close();
        await firestore.close();
      }
    },
  };
};

export type WebhookServers = Awaited<ReturnType<typeof startWebhookServers>>;

/** What each handler would have written of these events. */
const fill = async (
  name: ContenderName,
  { host, port }: LocalFirestore,
  events: readonly { readonly body: string }[],
): Promise<void> => {
  const db = new Firestore({ projectId: PROJECTS[name], host: `${host}:${port}`, ssl: false });
  const writer: BulkWriter = db.bulkWriter({ throttling: false });
  for (const { body } of events) {
    const change = parseMemberChange(JSON.parse(body));
    const now = new Date();
    const decision = decideChange(null, change, { pending: [], origin: 'registry', now });
    if (decision.kind !== 'write') throw new TypeError('A first event writes its member.');
    const document =
      name === 'ours'
        ? toMemberDocument(decision.member, decision.meta, now)
        : { profile: JSON.parse(body).data, synced_at: now };
    void writer.set(db.collection('members').doc(change.kennitala), document);
  }
  await writer.close();
  await db.terminate();
};

/** Events of generated members: each call changes the next ones, and begins again after the last member. */
const makeEvents = (members: number) => {
  const made: { readonly id: number; readonly body: string }[] = [];
  const state = openState({
    journal: makeMemoryJournal({ ...GENERATION, members }),
    onChange: (change, directory) => made.push(makeEvent(change, directory)),
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
