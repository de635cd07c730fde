import { makeEnvSecrets } from '../../../src/adapters/secrets/secret-manager.ts';
import { describeSecretSource } from './support/secret-source-contract.ts';

describeSecretSource('the given values', async () => {
  const values: Record<string, readonly string[]> = {};
  return {
    source: makeEnvSecrets(values),
    store: (name, versions) => {
      values[name] = versions.toReversed();
    },
    close: async () => undefined,
  };
});
