import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstLineOf, type RunningProcess, runCommand, startProcess } from './processes.ts';

const DJANGO = fileURLToPath(new URL('../../../../django', import.meta.url));
const PYTHON = '/usr/bin/python3';

/** The parts of a member that the suite looks at. */
interface RegistryMember {
  readonly name: string;
  readonly version: number;
  readonly contact_info: { readonly email: string };
}

export interface DjangoServerOptions {
  readonly port: number;
  readonly webhookUrl: string;
  readonly webhookSecrets: readonly string[];
  readonly members: number;
  /**
   * The registry without the companion app: its webhook says this key, and one worker process does everything, so that
   * a question asked while the webhook waits for its answer is not answered before.
   */
  readonly legacyKey?: string;
}

/**
 * A real registry: Django with the companion app (or of the legacy kind), under gunicorn, on a PostgreSQL cluster of its
 * own. Deliveries are tried again after a fraction of a second instead of five, so that an outage of seconds shows in
 * seconds.
 */
export const startDjango = async (options: DjangoServerOptions) => {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'));
  const secretsFile = join(folder, 'webhook-secrets');
  const writeSecrets = (secrets: readonly string[]) => writeFile(secretsFile, `${secrets.join('\n')}\n`);
  await writeSecrets(options.webhookSecrets);

  const cluster = startProcess(
    join(DJANGO, 'with-postgres'),
    ['sh', '-c', 'echo "$REGISTRY_DATABASE_URL"; exec sleep 3600'],
    {
      cwd: DJANGO,
      env: {},
    },
  );
  const { legacyKey } = options;
  const project = legacyKey === undefined ? 'registry' : 'old_registry';
  const cwd = join(DJANGO, legacyKey === undefined ? 'tests' : 'legacy');
  const env: Record<string, string> = {
    REGISTRY_DATABASE_URL: await firstLineOf(cluster),
    REGISTRY_WEBHOOK_URL: options.webhookUrl,
    REGISTRY_WEBHOOK_SECRETS_FILE: secretsFile,
    REGISTRY_BACKOFF_SECONDS: Array.from({ length: 60 }, () => '0.5').join(','),
    REGISTRY_READ_TIMEOUT_SECONDS: '4',
    REGISTRY_CLAIM_SECONDS: '10',
    REGISTRY_CONTROL: 'true',
    ...(legacyKey === undefined ? {} : { REGISTRY_SYNC_API_KEY: legacyKey }),
    DJANGO_SETTINGS_MODULE: `${project}.settings`,
    PYTHONPATH: [DJANGO, join(DJANGO, 'tests')].join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONWARNINGS: 'ignore::DeprecationWarning',
  };
  const manage = (...args: string[]) => runCommand(PYTHON, ['manage.py', ...args], { cwd, env });
  await manage('migrate', '--verbosity', '0');
  await manage('generate_members', '--count', String(options.members));
  const token = await manage('create_sync_token');

  const url = `http://127.0.0.1:${options.port}`;
  let server: RunningProcess | null = null;
  let threads = legacyKey === undefined ? 8 : 1;
  const start = async (): Promise<void> => {
    server = startProcess(
      PYTHON,
      [
        '-m',
        'gunicorn',
        `${project}.wsgi`,
        '--bind',
        `127.0.0.1:${options.port}`,
        '--workers',
        '1',
        '--threads',
        String(threads),
      ],
      { cwd, env },
    );
    await untilAnswered(`${url}/api/sync/status/`);
  };
  await start();

  const get = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Token ${token}` } });
    if (!answer.ok) throw new Error(`The registry answered ${answer.status} to ${path}.`);
    return answer.json();
  };

  return {
    url,
    token,
    manage,
    writeSecrets,
    start,
    /** As a power cut would: nothing is finished. */
    kill: async () => server?.stop('SIGKILL'),
    restart: async () => {
      await server?.stop();
      await start();
    },
    /** Installs the companion app on the tables of the old registry, whose own API and webhook end. */
    installCompanion: async () => {
      await server?.stop();
      env['REGISTRY_COMPANION'] = 'true';
      threads = 8;
      await manage('migrate', '--verbosity', '0');
      // The token that is in use stays; its user gets the right that the companion app asks for.
      await manage('create_sync_token', '--username', 'sync');
      await manage('make_member_digests');
      await start();
    },
    kennitalas: async () => ((await get('/api/members/kennitalas/')) as { kennitalas: string[] }).kennitalas,
    status: async () =>
      (await get('/api/sync/status/')) as { pending: number; synced: number; failed: number },
    member: async (ssn: string) => (await get(`/api/sync/member/${ssn}/`)) as RegistryMember,
    /** Changes members inside the server process, as its admin would. */
    control: async (action: string, order: object): Promise<number> =>
      (await control(url, action, order)).changed,
    /** The same on the registry without the companion app, with what became of the webhooks that it sent meanwhile. */
    save: (action: string, order: object): Promise<Required<Controlled>> =>
      control(url, action, order) as Promise<Required<Controlled>>,
    close: async () => {
      await server?.stop();
      await cluster.stop();
      await rm(folder, { recursive: true, maxRetries: 5 });
    },
  };
};

interface Controlled {
  readonly changed: number;
  /** One for each; a status of null: no answer within the ten seconds of the old server. */
  readonly webhooks?: readonly { readonly status: number | null; readonly milliseconds: number }[];
}

const control = async (url: string, action: string, order: object): Promise<Controlled> => {
  const answer = await fetch(`${url}/control/${action}/`, { method: 'POST', body: JSON.stringify(order) });
  if (!answer.ok) throw new Error(`The registry answered ${answer.status} to ${action}.`);
  return (await answer.json()) as Controlled;
};

export type DjangoServer = Awaited<ReturnType<typeof startDjango>>;

const untilAnswered = async (url: string): Promise<void> => {
  const until = Date.now() + 30_000;
  while (Date.now() < until) {
    const answer = await fetch(url).catch(() => null);
    if (answer !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Nothing answered at ${new URL(url).host} within 30 s.`);
};
