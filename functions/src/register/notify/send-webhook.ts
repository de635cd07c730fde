import { Webhook } from 'standardwebhooks';

export interface WebhookMessage {
  readonly url: string;
  readonly messageId: string;
  readonly body: string;
  /** Those in force, newest first; the receiver takes any of them. */
  readonly secrets: readonly string[];
  readonly at: Date;
}

/** `gone`: the receiver wants no more (410). `error` is a status or a kind of failure, never what was answered. */
export type SendOutcome =
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
