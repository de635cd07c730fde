import { Webhook } from 'standardwebhooks';
import { withDigest } from './digests.ts';
import type { Directory } from './directory.ts';
import type { ChangeEntry } from './journal.ts';

/** One webhook. `id` is the outbox id, `index` the member's row. */
export type WebhookEvent = Readonly<ReturnType<typeof makeEvent>>;

/**
 * The event of a change. Call it before the next change of that member: the body is made once and stays as it is over
 * all attempts, so that `data` is what the member was at `version`. A delete carries no data about who was deleted.
 */
export const makeEvent = (change: ChangeEntry, directory: Directory) => ({
  id: change.id,
  index: change.index,
  body: JSON.stringify({
    kennitala: directory.ssn(change.index),
    action: change.action,
    ...(change.action !== 'delete' && { data: withDigest(directory.member(change.index)) }),
    version: change.id,
    occurred_at: change.at,
  }),
});

/**
 * The Standard Webhooks headers of one attempt: one signature a secret, so that a receiver that knows either of two
 * secrets takes it during a rotation. The id stays the same over all attempts; the timestamp is the attempt's.
 */
export const signEvent = (
  id: string,
  body: string,
  secrets: readonly string[],
  at: Date,
): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
});

/** Throws for a list without a secret or with one that cannot sign, without quoting it. */
export const assertSecrets = (secrets: readonly string[]): void => {
  try {
    if (secrets.length === 0) throw new Error('There is none.');
    for (const secret of secrets) new Webhook(secret);
  } catch {
    throw new Error('A webhook needs secrets, each of them base64 with or without whsec_ in front.');
  }
};
