import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { SyncError } from '../lib/errors.ts';

/** What a public key alone can do: anybody may have it. */
export interface PublicKey {
  /** The first 16 hex digits of SHA-256 over the key's SPKI DER. */
  readonly id: string;
  /** SPKI, PEM. */
  readonly pem: string;
  /** @param signature base64url */
  readonly verifies: (text: string, signature: string) => boolean;
}

/** What signs the chain, and what makes digests of people that nobody without it can make or compare. */
export interface ChainKey extends PublicKey {
  /** Ed25519, base64url. */
  readonly sign: (text: string) => string;
  /** HMAC-SHA256, hex. `purpose` keeps digests of different things apart. */
  readonly digest: (purpose: string, text: string) => string;
}

/**
 * The key of a secret's text: an Ed25519 private key as `openssl genpkey -algorithm ed25519` writes it (PKCS 8, PEM), or the
 * same as base64 of its DER. The key of digests is derived from it (HKDF), so that one secret does.
 * @throws SyncError `secret_unavailable`, which quotes nothing of it.
 */
export const parseChainKey = (name: string, text: string): ChainKey => {
  const key = tryPrivateKey(text);
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new SyncError(
      'secret_unavailable',
      `Secret ${name} is no Ed25519 private key. Store one as openssl genpkey -algorithm ed25519 writes it.`,
      { details: { secret: name, reason: 'no_ed25519_key' } },
    );
  }
  const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  const digestKey = Buffer.from(hkdfSync('sha256', seed, '', 'membership-sync digests 1', 32));
  return {
    ...toPublicKey(createPublicKey(key)),
    sign: (signed) => sign(null, Buffer.from(signed), key).toString('base64url'),
    digest: (purpose, value) => createHmac('sha256', digestKey).update(`${purpose}\n${value}`).digest('hex'),
  };
};

const tryPrivateKey = (text: string): KeyObject | null => {
  try {
    return text.includes('-----')
      ? createPrivateKey(text)
      : createPrivateKey({ key: Buffer.from(text.trim(), 'base64'), format: 'der', type: 'pkcs8' });
  } catch {
    return null;
  }
};

/** @throws what `node:crypto` throws for a text that is no Ed25519 public key. */
export const parsePublicKey = (pem: string): PublicKey => {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('This is no Ed25519 key.');
  return toPublicKey(key);
};

const toPublicKey = (key: KeyObject): PublicKey => ({
  id: createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest('hex')
    .slice(0, 16),
  pem: key.export({ format: 'pem', type: 'spki' }).toString(),
  verifies: (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')),
});

export interface ChainKeys {
  /** The newest: it signs. */
  readonly current: () => Promise<ChainKey>;
  /** Every version in force: each proves what it signed. */
  readonly all: () => Promise<readonly ChainKey[]>;
}

/** The keys of one secret, each parsed once. Throws `secret_unavailable`. */
export const makeChainKeys = (
  name: string,
  newest: () => Promise<string>,
  versions: () => Promise<readonly string[]>,
): ChainKeys => {
  const parsed = new Map<string, ChainKey>();
  const keyOf = (text: string): ChainKey => {
    const key = parsed.get(text) ?? parseChainKey(name, text);
    parsed.set(text, key);
    return key;
  };
  return {
    current: async () => keyOf(await newest()),
    all: async () => (await versions()).map(keyOf),
  };
};

/** The keys that a reader knows, by id. */
export const keysById = <Key extends PublicKey>(keys: readonly Key[]): ReadonlyMap<string, Key> =>
  new Map(keys.map((key) => [key.id, key]));
