import { readFile } from 'node:fs/promises';
import { parsePublicKey } from '../../functions/src/proof/chain-key.ts';
import { faultsOfRoll, type Receipt } from '../../functions/src/proof/receipt.ts';

/*
 * npm run verify-roll FILE RECEIPT [KEY]
 *
 * Whether a roll is the list that its receipt says, and whether who has the private key said so. Asks nobody: no cloud, no network,
 * nothing to install but Node. KEY holds one or more public keys (PEM), as `npm run ops -- verify --public-key` wrote them; chain.pem
 * where it is not named. Exit code 0 when all is right, 1 otherwise.
 */

const PEM = /-----BEGIN PUBLIC KEY-----[\s\S]+?-----END PUBLIC KEY-----/g;

const [file, receiptFile, keyFile = 'chain.pem'] = process.argv.slice(2);

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const verify = async (): Promise<string[]> => {
  if (file === undefined || receiptFile === undefined) {
    return ['usage: npm run verify-roll FILE RECEIPT [KEY]'];
  }
  const bytes = await readFile(file);
  const receipt = JSON.parse(await readFile(receiptFile, 'utf8')) as Receipt;
  const keys = [...(await readFile(keyFile, 'utf8')).matchAll(PEM)].map(([pem]) => parsePublicKey(pem));
  if (keys.length === 0) return [`${keyFile} holds no public key`];
  const faults = faultsOfRoll(bytes, receipt, keys);
  if (faults.length > 0) return faults;
  say(
    `${receipt.count} members, the list in force at ${receipt.at}, published at ${receipt.list.publishedAt}.`,
  );
  say(
    receipt.registry.equalAt === null
      ? 'When it was last known to equal the registry is not known.'
      : `It was last known to equal the registry at ${receipt.registry.equalAt}, ${receipt.registry.ageSeconds} s before.`,
  );
  say(`Signed by the key ${receipt.key}. Compare that id with the one that was published.`);
  return [];
};

const faults = await verify().catch((cause: unknown) => [
  // What is no receipt is told by its kind alone: the file may be the roll itself.
  cause instanceof SyntaxError || cause instanceof TypeError
    ? 'the receipt, or the key, cannot be read'
    : `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? (cause as Error).name}`,
]);
for (const fault of faults) process.stderr.write(`NOT PROVED: ${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
