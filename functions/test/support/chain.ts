import { makeSigningKey } from '../../../local/src/secrets.ts';
import { makeEnvSecrets } from '../../src/adapters/secrets/secret-manager.ts';
import { makeChainKeys } from '../../src/proof/chain-key.ts';

/** The secret's versions; a test that puts one in front rotates the key. */
export const chainSecret = { 'chain-signing-key': [makeSigningKey()] };

const NAME = 'chain-signing-key';
const secrets = makeEnvSecrets(chainSecret);

/** The keys that sign the chains of this process's tests. */
export const chain = makeChainKeys(
  NAME,
  () => secrets.read(NAME),
  () => secrets.readAll(NAME),
);
