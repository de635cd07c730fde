import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ASKED, type Config, parseConfig } from '../../../functions/src/settings.ts';

/** The settings with which the functions of a project are deployed. */
export interface Settings {
  readonly config: Config;
  /** As the file has them. */
  readonly values: Readonly<Record<string, string>>;
  /** Names of the secrets that the functions will read. */
  readonly secrets: readonly string[];
  /** Whether this project keeps the register in PostgreSQL. */
  readonly hasRegister: boolean;
}

/** Settings that name a secret which only some projects have, and when. */
const READ_ONLY_WITH: Readonly<Record<string, (values: Settings['values']) => boolean>> = {
  LEGACY_KEY_SECRET: (values) => values['ALLOW_LEGACY_WEBHOOK_AUTH'] === 'true',
  ADMIN_KEY_SECRET: (values) => hasRegisterIn(values),
};

/** `functions/.env.<project>`, which `firebase deploy` reads as well. */
export const settingsFile = (folder: string, project: string): string => join(folder, `.env.${project}`);

/**
 * Reads and checks the settings by the functions' own rules, before anything is deployed with them. Every setting has to
 * be named, with a value or without one: where nobody can be asked, `firebase deploy` stops at the first that is not, default
 * or not, after rules and indexes have changed. A name that no setting has is a slip of the pen, and refused.
 * Throws an Error that names the file, or the SyncError `config_invalid` that lists what is wrong.
 */
export const readSettings = async (folder: string, project: string): Promise<Settings> => {
  const file = settingsFile(folder, project);
  const text = await tryReadText(file);
  if (text === null) throw new Error(`There is no ${file}. Copy .env.example there and edit it.`);
  if ((await tryReadText(join(folder, '.env'))) !== null) {
    throw new Error(
      `${join(folder, '.env')} is deployed as well. Move what it has to ${file} and delete it.`,
    );
  }
  const values = definedIn(parseEnv(text));
  const names = ASKED.map(({ name }) => name);
  const unknown = Object.keys(values).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`${file} has what is no setting: ${unknown.join(', ')}.`);
  const missing = names.filter((name) => !(name in values));
  if (missing.length > 0) {
    throw new Error(`${file} does not name ${missing.join(', ')}. Take each line from .env.example.`);
  }
  // The platform adds the default bucket by itself, but here its name is not known.
  if (values['SYNC_BUCKET'] === '') throw new Error(`${file} names no bucket: SYNC_BUCKET is empty.`);
  return {
    config: parseConfig({ ...values, GCLOUD_PROJECT: project }),
    values,
    secrets: secretsIn(values),
    hasRegister: hasRegisterIn(values),
  };
};

const tryReadText = (file: string): Promise<string | null> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });

const secretsIn = (values: Settings['values']): string[] => [
  ...secretSettings()
    .filter(({ setting }) => READ_ONLY_WITH[setting]?.(values) ?? true)
    .map(({ setting, usual }) => values[setting] || usual),
  ...subscribersIn(values).map((subscriber) => `register-webhook-${subscriber}`),
];

/** Settings that hold the name of a secret, and the name that it usually has. */
export const secretSettings = (): { readonly setting: string; readonly usual: string }[] =>
  ASKED.filter(({ name }) => name.endsWith('_SECRET')).map(({ name, shown }) => ({
    setting: name,
    usual: shown,
  }));

/** `elections=https://…,events=https://…`: whom the register tells of changes, each with a secret of its own. */
const subscribersIn = (values: Settings['values']): string[] =>
  hasRegisterIn(values)
    ? (values['REGISTER_SUBSCRIBERS'] ?? '')
        .split(',')
        .map((subscriber) => subscriber.split('=')[0]?.trim() ?? '')
        .filter((name) => name !== '')
    : [];

const hasRegisterIn = (values: Settings['values']): boolean =>
  (values['CLOUD_SQL_INSTANCE'] ?? '') !== '' || (values['DATABASE_URL'] ?? '') !== '';

const definedIn = (values: NodeJS.Dict<string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
