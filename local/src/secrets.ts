import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The local stack's secrets, by the names of the environment values that give them. */
export interface LocalSecrets {
  readonly DJANGO_API_TOKEN: string;
  /** `whsec_…`; several, newest first and separated by spaces, are all in force. */
  readonly DJANGO_WEBHOOK_SECRET: string;
  readonly ADMIN_API_KEY: string;
  readonly MEMBER_REFERENCE_KEY: string;
  /** An Ed25519 private key, base64 of its PKCS 8 DER. */
  readonly CHAIN_SIGNING_KEY: string;
  /** What a registry without the companion app says after `Bearer`. */
  readonly SYNC_API_KEY: string;
}

/** The secrets that an environment gives. */
export const secretsIn = (environment: Readonly<Record<string, string | undefined>>): Given => ({
  DJANGO_API_TOKEN: environment['DJANGO_API_TOKEN'],
  DJANGO_WEBHOOK_SECRET: environment['DJANGO_WEBHOOK_SECRET'],
  ADMIN_API_KEY: environment['ADMIN_API_KEY'],
  MEMBER_REFERENCE_KEY: environment['MEMBER_REFERENCE_KEY'],
  CHAIN_SIGNING_KEY: environment['CHAIN_SIGNING_KEY'],
  SYNC_API_KEY: environment['SYNC_API_KEY'],
});

export interface OpenedSecrets {
  readonly secrets: LocalSecrets;
  /** Those that nobody gave: a person may be shown them. */
  readonly madeUp: Partial<LocalSecrets>;
}

type Given = Readonly<Partial<Record<keyof LocalSecrets, string | undefined>>>;

/**
 * What is given wins and is not kept: it may belong to a real registry. The rest is made up at the first start and kept
 * in the data folder, so that it stays the same over restarts; it protects nothing but this machine's generated members.
 */
export const openSecrets = (folder: string, given: Given): OpenedSecrets => {
  const file = join(folder, 'secrets.json');
  const kept = existsSync(file) ? readKept(file) : makeSecrets();
  if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  const told = withoutUndefined(given);
  const madeUp = Object.fromEntries(Object.entries(kept).filter(([name]) => !Object.hasOwn(told, name)));
  return { secrets: { ...kept, ...told }, madeUp };
};

/** A new key for the chain of records. */
export const makeSigningKey = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');

const makeSecrets = (): LocalSecrets => ({
  DJANGO_API_TOKEN: randomBytes(20).toString('hex'),
  DJANGO_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString('base64')}`,
  ADMIN_API_KEY: randomBytes(24).toString('base64url'),
  MEMBER_REFERENCE_KEY: randomBytes(32).toString('base64url'),
  CHAIN_SIGNING_KEY: makeSigningKey(),
  SYNC_API_KEY: randomBytes(24).toString('base64url'),
});

const readKept = (file: string): LocalSecrets => ({
  ...makeSecrets(),
  ...JSON.parse(readFileSync(file, 'utf8')),
});

const withoutUndefined = (given: Given): Partial<LocalSecrets> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
