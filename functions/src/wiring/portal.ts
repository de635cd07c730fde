import { makeMemberReader } from '../adapters/django/member-read.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import type { HttpAnswer } from '../lib/http-endpoint.ts';
import { receiveWebhook, type WebhookCall, type WebhookDependencies } from '../portal/receive-webhook.ts';
import { makeWebhookGate } from '../portal/webhook-caller.ts';
import { type Shared, shared } from './shared.ts';

const wireWebhook = ({
  config,
  firestore,
  log,
  now,
  reference,
  registry,
  secrets,
}: Shared): WebhookDependencies => ({
  identify: makeWebhookGate(
    {
      signing: {
        readAll: () => secrets.readAll(config.webhook.signingSecret),
        drop: () => secrets.drop(config.webhook.signingSecret),
      },
      legacyKey: config.webhook.allowLegacy
        ? { readAll: () => secrets.readAll(config.webhook.legacyKeySecret) }
        : null,
    },
    now,
  ),
  members: makeMemberStore(firestore),
  registry: makeMemberReader(registry),
  rosterRefresh: makeRosterRefresh(firestore),
  register:
    config.register.followsWebhook && config.register.target !== null
      ? async (change) => (await import('./register.ts')).applyEventToRegister(change)
      : undefined,
  reference,
  now,
  log,
});

let wired: WebhookDependencies | undefined;

/** One event of the registry. Never throws: a failure is an answer that tells the sender what to do. */
export const answerWebhook = (call: WebhookCall): Promise<HttpAnswer> => {
  wired ??= wireWebhook(shared());
  return receiveWebhook(call, wired);
};
