import type { SecretSource } from './secret-source.ts';
import { parseSecretText, secretUnavailable } from './secret-text.ts';

/** Values by the secret's name; a list is its versions in force, newest first. */
export type SecretValues = Readonly<Record<string, string | readonly string[] | undefined>>;

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
