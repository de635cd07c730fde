import { SyncError } from '../../lib/errors.ts';

/**
 * Secrets by their short names, such as `django-api-token`. Every failure is SyncError `secret_unavailable`, whose
 * message names the secret, what is wrong and what to do, never a value.
 */
export interface SecretSource {
  /** The newest version. Cached for minutes; concurrent reads share one request. */
  readonly read: (name: string) => Promise<string>;
  /** Every version that is in force, newest first: during a rotation the old one still is. At least one. */
  readonly readAll: (name: string) => Promise<readonly string[]>;
  /** Forgets what is cached under the name, because the other side refused it. */
  readonly drop: (name: string) => void;
}

/** One secret of a source, as the registry client wants its token. */
export const makeTokenSource = (
  secrets: Pick<SecretSource, 'read' | 'drop'>,
  name: string,
): { readonly read: () => Promise<string>; readonly drop: () => void } => ({
  read: () => secrets.read(name),
  drop: () => secrets.drop(name),
});

/**
 * A secret as it is used: UTF-8 text without the one line break that `echo … | gcloud secrets versions add` leaves.
 * @throws SyncError `secret_unavailable` for an empty one.
 */
export const parseSecretText = (name: string, text: string): string => {
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw secretUnavailable(name, 'is empty. Store its value as a new version.', 'empty');
};

/** `reason` is a stable word or a gRPC status, for the log; `what` continues a sentence that starts with the name. */
export const secretUnavailable = (name: string, what: string, reason: string): SyncError =>
  new SyncError('secret_unavailable', `Secret ${name} ${what}`, { details: { secret: name, reason } });

/** Values by the secret's name; a list is its versions in force, newest first. */
type SecretValues = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Secrets that were given to the process, for the local stack and for tests. The record is looked up at each read and
 * never copied, so changing a value in it is a rotation.
 */
export const makeEnvSecrets = (values: SecretValues): SecretSource => {
  const readAll = (name: string): readonly string[] => {
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    const versions = typeof given === 'string' ? [given] : (given ?? []);
    if (versions.length > 0) return versions.map((version) => parseSecretText(name, version));
    throw secretUnavailable(
      name,
      'was not given to the local stack. Set it in its environment.',
      'NOT_FOUND',
    );
  };
  return {
    read: async (name) => {
      const [newest = ''] = readAll(name);
      return newest;
    },
    readAll: async (name) => readAll(name),
    drop: () => undefined,
  };
};
