import { setTimeout as sleep } from 'node:timers/promises';
import { makeMemberReader } from '../adapters/django/read-members.ts';
import { makeHintStore } from '../adapters/firestore/hint-store.ts';
import { makeMemberStore } from '../adapters/firestore/member-store.ts';
import { makeRosterRefresh } from '../adapters/firestore/roster-refresh.ts';
import { tryKennitala } from '../domain/kennitala.ts';
import type { FetchApp } from '../http/front.ts';
import type { SyncError } from '../lib/errors.ts';
import { type FollowHintDependencies, followHint } from '../portal/follow-hint.ts';
import {
  answerWebhook,
  answerWebhookFailure,
  makeWebhookLogs,
  type WebhookDependencies,
} from '../portal/receive-webhook.ts';
import { makeWebhookGate } from '../portal/webhook-caller.ts';
import { log } from './log.ts';
import { type Shared, wiredOnce } from './shared.ts';

/** The webhook over its stores. Opens nothing. */
export const wireWebhook = (base: Shared): WebhookDependencies => {
  const { config, firestore, log, now, reference, registry, secrets } = base;
  return {
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
    hints: makeHintStore(firestore),
    rosterRefresh: makeRosterRefresh(firestore),
    register:
      config.register.followsWebhook && config.register.target !== null
        ? async (change) => (await import('./register.ts')).applyEventToRegister(change, base)
        : undefined,
    reference,
    now,
    log,
  };
};

const wireFollowing = ({ firestore, log, now, reference, registry }: Shared): FollowHintDependencies => ({
  members: makeMemberStore(firestore),
  registry: makeMemberReader(registry),
  hints: makeHintStore(firestore),
  rosterRefresh: makeRosterRefresh(firestore),
  reference,
  now,
  sleep: async (ms) => {
    await sleep(ms);
  },
  logs: makeWebhookLogs(log),
});

const wiredWebhook = wiredOnce(wireWebhook);
const wiredFollowing = wiredOnce(wireFollowing);

/** One hint, by the name of its document. Throws when its event should be delivered again. */
export const followHintNamed = async (name: string, token: string, base?: Shared): Promise<void> => {
  const kennitala = tryKennitala(name);
  // Nothing of ours writes another name.
  if (kennitala !== null) await followHint(kennitala, token, wiredFollowing(base));
};

/** The registry's webhook. Never throws but for wrong settings: a failure is an answer that tells the sender what to do. */
export const webhookApp = (base?: Shared): FetchApp => {
  const dependencies = wiredWebhook(base);
  return {
    fetch: async (request) => {
      const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
      return answerWebhook(
        {
          method: request.method,
          rawBody: new Uint8Array(await request.arrayBuffer()),
          headers: {
            id: header('webhook-id'),
            timestamp: header('webhook-timestamp'),
            signature: header('webhook-signature'),
            authorization: header('authorization'),
          },
        },
        dependencies,
      );
    },
  };
};

/** What failed before the webhook was there to answer, such as wrong settings. */
export const refuseWebhook = (failure: SyncError): Response => answerWebhookFailure(failure, log);
