import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, initializeFirestore } from 'firebase-admin/firestore';
import { Webhook } from 'standardwebhooks';
import { startFirestore } from '../../../local/src/firestore/server.ts';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makeRosterRefresh } from '../../src/adapters/firestore/roster-refresh.ts';
import { makeMemberReference } from '../../src/domain/member/digest.ts';
import type { MemberChange } from '../../src/domain/member/member-change.ts';
import type { LogFields, Severity } from '../../src/lib/log.ts';
import { answerWebhook, type WebhookCall } from '../../src/portal/receive-webhook.ts';
import { makeWebhookGate, type WebhookSecrets } from '../../src/portal/webhook-caller.ts';
import type { MemberReader } from '../../src/registry/ports.ts';

const PROJECT = 'demo-ekklesia';
export const SECRET = `whsec_${Buffer.from('a secret of the tests, 32 bytes.').toString('base64')}`;

export interface PortalStackOptions {
  readonly secrets?: Partial<WebhookSecrets>;
  readonly registry?: MemberReader;
  readonly callLimitMs?: number;
  readonly register?: (change: MemberChange) => Promise<void>;
}

/** The webhook as production wires it, over the real Firestore client; the registry is what the test gives. */
export const startPortalStack = async (options: PortalStackOptions = {}) => {
  const firestore = await startFirestore({ projectId: PROJECT });
  const app = initializeApp({ projectId: PROJECT }, `portal-${firestore.port}`);
  const db: Firestore = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  const logs: { severity: Severity; message: string; fields: LogFields }[] = [];
  const secrets: WebhookSecrets = {
    signing: { readAll: async () => [SECRET], drop: () => undefined },
    legacyKey: null,
    ...options.secrets,
  };
  const now = () => new Date();
  const dependencies = {
    identify: makeWebhookGate(secrets, now),
    members: makeMemberStore(async () => db, { callLimitMs: options.callLimitMs ?? 30_000 }),
    registry: options.registry ?? { readMember: async () => null },
    hints: makeHintStore(async () => db),
    rosterRefresh: makeRosterRefresh(async () => db),
    register: options.register,
    reference: async (kennitala: Parameters<typeof makeMemberReference>[1]) =>
      makeMemberReference('key of the tests', kennitala),
    now,
    log: (severity: Severity, message: string, fields: LogFields) => {
      logs.push({ severity, message, fields });
    },
  };
  const receive = async (call: WebhookCall) => readAnswer(await answerWebhook(call, dependencies));
  return {
    firestore,
    db,
    logs,
    dependencies,
    receive,
    /** Signs and delivers an event, as the registry would. */
    deliver: (id: string, body: unknown, secret = SECRET) =>
      receive(signed(id, JSON.stringify(body), secret)),
    member: async (kennitala: string) => (await db.doc(`members/${kennitala}`).get()).data(),
    refreshes: async () => (await db.collection('roster_refreshes').get()).size,
    close: async () => {
      await deleteApp(app);
      await firestore.close();
    },
  };
};

/** An answer as its sender reads it. */
export const readAnswer = async (answer: Response) => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  body: (await answer.json()) as object,
});

export type PortalStack = Awaited<ReturnType<typeof startPortalStack>>;

export const signed = (id: string, body: string, secret = SECRET, at = new Date()): WebhookCall => ({
  method: 'POST',
  rawBody: Buffer.from(body),
  headers: {
    id,
    timestamp: String(Math.floor(at.getTime() / 1_000)),
    signature: new Webhook(secret).sign(id, at, body),
    authorization: undefined,
  },
});
