import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { SyncError } from '../lib/errors.ts';

/** Bounds the work that an unsigned caller can cause: a rotation needs two. */
const MAX_SIGNATURES = 8;
/** It becomes a document's name, and Firestore takes neither `.` nor `..` nor `__…__` for one. */
const ID = /^(?!\.{1,2}$)(?!__.*__$)[\w.:-]{1,200}$/;
const TIMESTAMP = /^\d{1,12}$/;
const SIGNATURES = /^v\d+[a-z]?,[A-Za-z0-9+/=]{1,200}(?: v\d+[a-z]?,[A-Za-z0-9+/=]{1,200})*$/;

export interface SignedRequest {
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
