import { Webhook } from 'standardwebhooks';
import { isSyncError } from '../lib/errors.ts';
import { isDifferent } from '../mirror/mirror.ts';
import type { RegisterPlan } from './plan-register.ts';
import type { DueNotification, Notification, Outbox, ReferTo } from './ports.ts';
import type { RegisterLogs } from './register-logs.ts';

export interface DeliveryOptions {
  readonly outbox: Outbox;
  readonly subscribers: readonly Subscriber[];
  /** The signing secrets of a subscriber in force, newest first. Throws `secret_unavailable`. */
  readonly secretsOf: (subscriber: string) => Promise<readonly string[]>;
  readonly send: (message: WebhookMessage) => Promise<SendOutcome>;
  readonly now: () => Date;
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number;
  readonly logs: Pick<RegisterLogs, 'notified' | 'notNotified'>;
}

const MINUTE_MS = 60_000;
/**
 * Waits after each failed attempt, those that the Standard Webhooks specification suggests; after the last one the message
 * is given up. They are met at the next hourly run or request that delivers.
 */
const WAITS_MS = [1, 5, 30, 120, 300, 600, 840, 1_200].map((minutes) => minutes * MINUTE_MS);
/** Longer than an attempt's time limit. */
const CLAIM_MS = 2 * MINUTE_MS;
const BATCH = 20;

/**
 * Sends what is due, a batch at a time, until nothing is due. At least once: a subscriber dedupes on `webhook-id`. Throws
 * `database_*` when the outbox cannot be read; what a receiver does is its message's own outcome.
 */
export const deliverNotifications = async (
  options: DeliveryOptions,
): Promise<{ delivered: number; failed: number }> => {
  const done = { delivered: 0, failed: 0 };
  for (;;) {
    const due = await options.outbox.claimDue({ at: options.now(), limit: BATCH, claimMs: CLAIM_MS });
    if (due.length === 0) return done;
    const outcomes = await Promise.all(due.map((claim) => deliver(claim, options)));
    for (const isDelivered of outcomes) done[isDelivered ? 'delivered' : 'failed'] += 1;
  }
};

const deliver = async (claim: DueNotification, options: DeliveryOptions): Promise<boolean> => {
  const { outbox, logs, now } = options;
  const outcome = await attempt(claim, options);
  const { subscriber, messageId, attempts } = claim;
  if (outcome.kind === 'delivered') {
    await outbox.markDelivered(claim, now());
    logs.notified(subscriber, messageId, attempts);
    return true;
  }
  const error = outcome.kind === 'gone' ? 'gone' : outcome.error;
  const waitMs = outcome.kind === 'gone' ? undefined : WAITS_MS[attempts - 1];
  const at = now();
  // A tenth of jitter, so that messages that failed together do not come back together.
  const nextAttemptAt =
    waitMs === undefined ? null : new Date(at.getTime() + waitMs * (1 + options.random() / 10));
  await outbox.markFailed(claim, { at, error, nextAttemptAt });
  logs.notNotified(subscriber, messageId, attempts, error, nextAttemptAt === null);
  return false;
};

const attempt = async (claim: DueNotification, options: DeliveryOptions): Promise<SendOutcome> => {
  const subscriber = options.subscribers.find(({ name }) => name === claim.subscriber);
  // Taken out of the settings since the message was written.
  if (subscriber === undefined) return { kind: 'gone' };
  try {
    const { messageId, body } = claim;
    const secrets = await options.secretsOf(subscriber.name);
    return await options.send({ url: subscriber.url, messageId, body, secrets, at: options.now() });
  } catch (cause) {
    if (isSyncError(cause)) return { kind: 'failed', error: cause.code };
    throw cause;
  }
};

/** Somebody who wants to be told of changes. */
export interface Subscriber {
  /** Letters, digits and hyphens; stands in logs, in the outbox, and in the name of its secret. */
  readonly name: string;
  /** https, or http on this machine. */
  readonly url: string;
}

/** Receivers of webhooks commonly take 64 KB; a reference has 21 bytes here. The link has all of them. */
const REFERENCES_MAX = 1_000;

/**
 * One message a subscriber for a run that changed something: how many, who by opaque reference (the first thousand), and
 * where the changed rows are listed.
 */
export const makeNotifications = (
  plan: RegisterPlan,
  { runId, startedAt }: { readonly runId: string; readonly startedAt: Date },
  { referTo, subscribers, apiUrl }: { referTo: ReferTo; subscribers: readonly Subscriber[]; apiUrl: string },
): Notification[] => {
  if (subscribers.length === 0 || !isDifferent(plan)) return [];
  const changed = [...plan.removed, ...plan.added, ...plan.updated];
  const body = JSON.stringify({
    type: 'membership.changed',
    timestamp: startedAt.toISOString(),
    run: runId,
    added: plan.added.length,
    removed: plan.removed.length,
    updated: plan.updated.length,
    members: changed.slice(0, REFERENCES_MAX).map(referTo),
    complete: changed.length <= REFERENCES_MAX,
    details: `${apiUrl}/sync/runs/${encodeURIComponent(runId)}/changes`,
  });
  return subscribers.map(({ name }) => ({ messageId: runId, subscriber: name, body }));
};

interface WebhookMessage {
  readonly url: string;
  readonly messageId: string;
  readonly body: string;
  /** Those in force, newest first; the receiver takes any of them. */
  readonly secrets: readonly string[];
  readonly at: Date;
}

/** `gone`: the receiver wants no more (410). `error` is a status or a kind of failure, never what was answered. */
type SendOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly error: string };

const TIME_LIMIT_MS = 10_000;

/**
 * POSTs one signed message (https://www.standardwebhooks.com). Only 2xx counts as delivered; a redirect does not, since
 * the signature was made for this address's owner. Never throws for what the receiver does.
 */
export const sendWebhook = async ({
  url,
  messageId,
  body,
  secrets,
  at,
}: WebhookMessage): Promise<SendOutcome> => {
  const signatures = trySign(secrets, { messageId, body, at });
  if (signatures === null) return { kind: 'failed', error: 'unusable secret' };
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'ekklesia-membership-sync',
        'webhook-id': messageId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': signatures.join(' '),
      },
      body,
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    await response.body?.cancel();
    if (response.ok) return { kind: 'delivered' };
    return response.status === 410
      ? { kind: 'gone' }
      : { kind: 'failed', error: `status ${response.status}` };
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    return { kind: 'failed', error: isLate ? 'timeout' : 'no connection' };
  }
};

/** Null when a secret is not base64, with or without `whsec_`: its error message quotes it. */
const trySign = (
  secrets: readonly string[],
  { messageId, body, at }: Pick<WebhookMessage, 'messageId' | 'body' | 'at'>,
): string[] | null => {
  try {
    return secrets.map((secret) => new Webhook(secret).sign(messageId, at, body));
  } catch {
    return null;
  }
};
