import { Webhook } from 'standardwebhooks';
import type { WebhookCall } from '../../src/portal/receive-webhook.ts';
import { makeKennitalas } from './kennitalas.ts';

/** What the registry of the tests signs its webhooks with. */
export const SECRET = `whsec_${Buffer.from('a secret of the tests, 32 bytes.').toString('base64')}`;

let used = 0;
let events = 0;

/** A member whom no other test of the file has used. */
export const someone = (): string => {
  used += 1;
  const [number = ''] = makeKennitalas(1, used);
  return number;
};

/** An id that no other event of the file has. */
export const eventId = (): string => {
  events += 1;
  return `msg_${events}`;
};

/** The body of an event, as the registry spells it; null for a registry that has no versions. */
export const event = (kennitala: string, version: number | null, action = 'update', data: object = {}) => ({
  kennitala,
  action,
  ...(action === 'delete' ? {} : { data: { ssn: kennitala, name: 'Generated Person', ...data } }),
  ...(version === null ? {} : { version }),
  occurred_at: '2026-11-20T10:00:00Z',
});

/** Status and body of an answer in one object. */
export const resultOf = async (answer: Promise<{ status: number; body: object }>) => {
  const { status: code, body } = await answer;
  return { status: code, ...body } as Record<string, unknown>;
};

/** A webhook as the registry sends it. */
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

/** An answer as its sender reads it. */
export const readAnswer = async (answer: Response) => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  body: (await answer.json()) as object,
});
