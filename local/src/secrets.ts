import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A new key for the chain of records: an Ed25519 private key, base64 of its PKCS 8 DER. */
export const makeSigningKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');

/** How each secret is made up, by the name of the environment value that gives it. */
const MAKERS = {
  DJANGO_API_TOKEN: () => randomBytes(20).toString('hex'),
  /** Several, newest first and separated by spaces, are all in force. */
  DJANGO_WEBHOOK_SECRET: () => `whsec_${randomBytes(24).toString('base64')}`,
  ADMIN_API_KEY: () => randomBytes(24).toString('base64url'),
  MEMBER_REFERENCE_KEY: () => randomBytes(32).toString('base64url'),
  CHAIN_SIGNING_KEY: makeSigningKey,
  /** What a registry without the companion app says after `Bearer`. */
  SYNC_API_KEY: () => randomBytes(24).toString('base64url'),
} as const;

export type LocalSecrets = Readonly<Record<keyof typeof MAKERS, string>>;

const NAMES = Object.keys(MAKERS) as readonly (keyof LocalSecrets)[];

/** The secrets that an environment gives. */
export const secretsIn = (environment: Readonly<Record<string, string | undefined>>): Partial<LocalSecrets> =>
  Object.fromEntries(
    NAMES.map((name) => [name, environment[name]]).filter(([, value]) => value !== undefined),
  );

/**
 * What is given wins and is not kept: it may belong to a real registry. The rest is made up at the first start and kept
 * in the data folder, so that it stays the same over restarts; it protects nothing but this machine's generated members.
 * `madeUp` holds what nobody gave: a person may be shown that.
 */
export const openSecrets = (folder: string, given: Readonly<Record<string, string | undefined>>) => {
  const file = join(folder, 'secrets.json');
  const made = Object.fromEntries(NAMES.map((name) => [name, MAKERS[name]()]));
  const kept = existsSync(file) ? { ...made, ...JSON.parse(readFileSync(file, 'utf8')) } : made;
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  const told = secretsIn(given);
  const madeUp = Object.entries(kept).filter(([name]) => !Object.hasOwn(told, name));
  return {
    secrets: { ...kept, ...told } as LocalSecrets,
    madeUp: Object.fromEntries(madeUp) as Partial<LocalSecrets>,
  };
};
