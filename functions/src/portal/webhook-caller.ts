import { createHash, timingSafeEqual } from 'node:crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { isSyncError, SyncError } from '../lib/errors.ts';

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
  const given = /^(?:Bearer|Token) (\S+)$/i.exec(authorization)?.[1];
  const isKnown =
    given !== undefined &&
    keys.reduce((found, key) => timingSafeEqual(sha256(given), sha256(key)) || found, false);
  if (!isKnown) throw new SyncError('unauthenticated', 'The key is not known.');
};

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Bounds the work that an unsigned caller can cause: a rotation needs two. */
const MAX_SIGNATURES = 8;
/** It becomes a document's name, and Firestore takes neither `.` nor `..` nor `__…__` for one. */
const ID = /^(?!\.{1,2}$)(?!__.*__$)[\w.:-]{1,200}$/;
const TIMESTAMP = /^\d{1,12}$/;
const SIGNATURES = /^v\d+[a-z]?,[A-Za-z0-9+/=]{1,200}(?: v\d+[a-z]?,[A-Za-z0-9+/=]{1,200})*$/;

interface SignedRequest {
  /** The bytes as they came: the signature is over them. */
  readonly rawBody: Uint8Array;
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
}

/**
 * Checks a Standard Webhooks signature (https://www.standardwebhooks.com) against every secret in force, with its
 * tolerance of five minutes either way. Answers the event's id.
 *
 * The headers' form is checked first, since the library reads `1700000000abc` as a time, and an id becomes a
 * document's name.
 * @throws SyncError `unauthenticated`
 */
export const verifySignature = (request: SignedRequest, secrets: readonly string[]): string => {
  const { id = '', timestamp = '', signature = '' } = request;
  const isWellFormed =
    ID.test(id) && TIMESTAMP.test(timestamp) && SIGNATURES.test(signature) && isBounded(signature);
  if (!isWellFormed) throw refused('The webhook headers are missing or not of the agreed form.');
  const body = Buffer.from(request.rawBody.buffer, request.rawBody.byteOffset, request.rawBody.byteLength);
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
  const verifiers = secrets.flatMap((secret) => tryVerifier(secret) ?? []);
  if (verifiers.length === 0) {
    throw new SyncError('secret_unavailable', 'No version of the webhook secret is of the form whsec_… .');
  }
  if (!verifiers.some((verifier) => isSignedBy(verifier, body, headers))) {
    throw refused('The signature is of no known secret, or too old.');
  }
  return id;
};

/** One version that was stored wrongly must not shut out the others. */
const tryVerifier = (secret: string): Webhook | null => {
  const known = verifiers.get(secret);
  if (known !== undefined) return known;
  let made: Webhook | null = null;
  try {
    made = new Webhook(secret);
  } catch {}
  if (verifiers.size >= MAX_VERIFIERS) verifiers.clear();
  verifiers.set(secret, made);
  return made;
};

/** Of the secrets seen lately: a key is decoded once and not with every event. */
const verifiers = new Map<string, Webhook | null>();
const MAX_VERIFIERS = 16;

const isSignedBy = (verifier: Webhook, body: Buffer, headers: Record<string, string>): boolean => {
  try {
    verifier.verify(body, headers, { jsonParse: false });
    return true;
  } catch (cause) {
    if (cause instanceof WebhookVerificationError) return false;
    throw cause;
  }
};

const isBounded = (signature: string): boolean => signature.split(' ').length <= MAX_SIGNATURES;

const refused = (why: string): SyncError => new SyncError('unauthenticated', why);
