import { createHash, timingSafeEqual } from 'node:crypto';
import { isSyncError, SyncError } from '../lib/errors.ts';
import { verifySignature } from './webhook-signature.ts';

/** Every version of a secret that is in force, newest first; `drop` forgets what is cached. */
export interface WebhookSecrets {
  readonly signing: { readAll(): Promise<readonly string[]>; drop(): void };
  /** Null: only signed events are accepted. */
  readonly legacyKey: { readAll(): Promise<readonly string[]> } | null;
}

export interface WebhookHeaders {
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly authorization: string | undefined;
}

/** `signed`: the event can be believed. `legacy`: its sender is known, but the event is a hint at most. */
export type WebhookCaller =
  | { readonly kind: 'signed'; readonly eventId: string }
  | { readonly kind: 'legacy' };

/** Anyone can send a wrong signature, and each look at Secret Manager costs: at most one look in this time. */
const REREAD_EVERY_MS = 10_000;

/**
 * Proves who sent an event. A signature of no cached secret makes the secrets be read again, once in ten seconds, so
 * that the first event after a rotation is accepted as well.
 * @throws SyncError `unauthenticated`, `secret_unavailable`
 */
export const makeWebhookGate = (secrets: WebhookSecrets, now: () => Date) => {
  let rereadAt = 0;

  const verify = async (rawBody: Uint8Array, headers: WebhookHeaders): Promise<string> => {
    const request = { rawBody, ...headers };
    try {
      return verifySignature(request, await secrets.signing.readAll());
    } catch (cause) {
      const time = now().getTime();
      if (!isSyncError(cause, 'unauthenticated') || time - rereadAt < REREAD_EVERY_MS) throw cause;
      rereadAt = time;
      secrets.signing.drop();
      return verifySignature(request, await secrets.signing.readAll());
    }
  };

  return async (rawBody: Uint8Array, headers: WebhookHeaders): Promise<WebhookCaller> => {
    const isUnsigned = headers.signature === undefined;
    if (isUnsigned && secrets.legacyKey !== null && headers.authorization !== undefined) {
      assertKnownKey(headers.authorization, await secrets.legacyKey.readAll());
      return { kind: 'legacy' };
    }
    return { kind: 'signed', eventId: await verify(rawBody, headers) };
  };
};

/** Compares digests, which have one length, so that neither the time nor the length tells anything of the key. */
const assertKnownKey = (authorization: string, keys: readonly string[]): void => {
  const given = /^(?:Bearer|Token) (\S+)$/i.exec(authorization)?.[1] ?? '';
  const isKnown = keys.reduce((found, key) => timingSafeEqual(sha256(given), sha256(key)) || found, false);
  if (!isKnown || given === '') throw new SyncError('unauthenticated', 'The key is not known.');
};

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
