import { Command, InvalidArgumentError } from 'commander';
import { startRegistry } from './start-registry.ts';

const whole = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};
const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

interface Flags {
  readonly host: string;
  readonly port: number;
  readonly members?: number;
  readonly placeholders?: number;
  readonly seed?: number;
  readonly token: string;
  readonly authScheme: string;
  readonly companion: boolean;
  readonly data?: string;
  readonly webhook?: string;
  readonly secret: readonly string[];
}

const command = new Command('registry')
  .description('The stand-in for the Django registry, with made-up members. For development only.')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <n>', 'port to listen on; 0 takes a free one', whole, 8000)
  .option('--members <n>', 'distinct members (2216 when there is no data file yet)', whole)
  .option('--placeholders <n>', '9999… rows besides the members', whole)
  .option('--seed <n>', 'another seed makes other members', whole)
  .requiredOption('--token <token>', 'the token that the API takes')
  .option('--auth-scheme <scheme>', 'Token or Bearer', 'Token')
  .option('--no-companion', 'behave like a registry without the companion app')
  .option('--data <file>', 'keep changes in this file, so that they survive a restart')
  .option('--webhook <url>', 'send a signed webhook for each change to this address')
  .option('--secret <secret>', 'a webhook secret (whsec_…); give it twice for a rotation', collect, [])
  .parse();

const flags = command.opts<Flags>();
if (flags.authScheme !== 'Token' && flags.authScheme !== 'Bearer')
  command.error('--auth-scheme is Token or Bearer.');
if (flags.webhook !== undefined && flags.secret.length === 0) command.error('--webhook needs --secret.');

try {
  const registry = await startRegistry({
    host: flags.host,
    port: flags.port,
    token: flags.token,
    authScheme: flags.authScheme === 'Bearer' ? 'Bearer' : 'Token',
    companion: flags.companion,
    ...(flags.members !== undefined && { members: flags.members }),
    ...(flags.placeholders !== undefined && { placeholders: flags.placeholders }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
    ...(flags.data !== undefined && { dataFile: flags.data }),
    ...(flags.webhook !== undefined && { webhook: { url: flags.webhook, secrets: flags.secret } }),
  });
  console.log(`Stand-in registry with ${registry.summary().members} made-up members: ${registry.url}`);
  console.log(`  curl -H 'Authorization: ${flags.authScheme} <token>' ${registry.url}/api/sync/status/`);
  console.log(
    `  curl ${registry.url}/_control/status    (local/src/registry/README.md lists the controls; Ctrl-C stops)`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void registry.close().then(() => process.exit(0)));
  }
} catch (error) {
  command.error(error instanceof Error ? error.message : String(error));
}
