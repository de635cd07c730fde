import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../functions/src/settings.ts';
import { readDeployedFunctions } from '../../src/deploy/deployed-functions.ts';
import { applyIam, type IamPlace, planIam } from '../../src/deploy/iam-commands.ts';
import { parseIamTable, readIamTable, withSettings } from '../../src/deploy/iam-table.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { secretSettings } from '../../src/deploy/settings.ts';
import { CommandFailed } from '../../src/deploy/shell.ts';

const WIRING = join(ROOT, 'functions/src/wiring');

/** The secrets of which the functions read all versions, by their usual names, as the wiring says. */
const secretsReadWhole = async (): Promise<string[]> => {
  const settings = Object.fromEntries(secretSettings().map(({ setting, usual }) => [setting, usual]));
  const config: unknown = parseConfig({
    ...settings,
    DJANGO_BASE_URL: 'https://registry.example.is',
    SYNC_BUCKET: 'lists',
    GCLOUD_PROJECT: 'demo-iam',
  });
  const files = await Promise.all(
    (await readdir(WIRING)).map((file) => readFile(join(WIRING, file), 'utf8')),
  );
  return files.flatMap((text) =>
    [...text.matchAll(/\.readAll\((?:config\.([\w.]+)|`([\w-]+)\$\{\w+\}`)\)/g)].map(([, path, start]) =>
      start === undefined
        ? String(
            (path ?? '')
              .split('.')
              .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], config),
          )
        : `${start}*`,
    ),
  );
};

describe('docs/iam.md', () => {
  it('gives every deployed function exactly one account', async () => {
    const { accounts } = await readIamTable();
    const named = accounts.flatMap(({ functions }) => functions);
    expect(new Set(named).size).toBe(named.length);
    for (const { name } of await readDeployedFunctions()) expect(named).toContain(name);
  });

  it('agrees with every account that the source names', async () => {
    const { accounts } = await readIamTable();
    for (const { name, account } of await readDeployedFunctions()) {
      if (account === null) continue;
      const row = accounts.find(({ functions }) => functions.includes(name));
      expect(`${name} ${account}`).toBe(`${name} ${row?.name}`);
    }
  });

  it('lets each trigger call its function, and nobody else by a role', async () => {
    const { accounts, grants } = await readIamTable();
    const callable = (await readDeployedFunctions())
      .filter(({ kind }) => kind !== 'https')
      .map(({ name }) => name);
    const invoked = grants.flatMap(({ account, role, on }) =>
      role === 'roles/run.invoker' && on.kind === 'function' ? [{ account, name: on.name }] : [],
    );
    for (const name of callable) expect(invoked.map((grant) => grant.name)).toContain(name);
    for (const { account, name } of invoked) {
      expect(accounts.find((row) => row.name === account)?.functions).toContain(name);
    }
  });

  it('grants no basic role, no administration, and secrets one by one', async () => {
    const { grants } = await readIamTable();
    for (const { role, on } of grants) {
      expect(role).not.toMatch(/^roles\/(owner|editor|viewer)$|admin/i);
      if (role.startsWith('roles/secretmanager.')) expect(on.kind).toBe('secret');
      if (role.startsWith('roles/storage.')) expect(on.kind).toBe('bucket');
    }
  });

  it("lets only the operators' function read the settings of the bucket, and none change them", async () => {
    const { grants } = await readIamTable();
    const onBucket = grants.filter(({ on }) => on.kind === 'bucket');
    expect(onBucket.map(({ account, role }) => `${account} ${role}`).toSorted()).toEqual([
      'sync-ops roles/storage.legacyBucketReader',
      'sync-ops roles/storage.objectUser',
      'sync-register roles/storage.objectViewer',
      'sync-roster roles/storage.objectUser',
    ]);
  });

  it('knows every secret that the settings name', async () => {
    const { grants } = await readIamTable();
    const granted = grants.flatMap(({ on }) => (on.kind === 'secret' ? [on.name] : []));
    for (const { usual } of secretSettings()) expect(granted).toContain(usual);
  });

  it('lets whoever accepts every version of a secret list them', async () => {
    const { grants } = await readIamTable();
    const given = (role: string) =>
      grants.flatMap(({ account, role: of, on }) =>
        of === role && on.kind === 'secret' ? [`${account} ${on.name}`] : [],
      );
    const listed = given('roles/secretmanager.viewer');
    for (const pair of listed) expect(given('roles/secretmanager.secretAccessor')).toContain(pair);
    expect(listed.map((pair) => pair.split(' ')[1]).toSorted()).toEqual(
      (await secretsReadWhole()).toSorted(),
    );
  });

  it('keeps the list from the webhook, and the register unless it is to write there', async () => {
    const { grants } = await readIamTable();
    const rolesWith = (settings: Readonly<Record<string, string>>) =>
      new Set(
        withSettings({ accounts: [], grants }, settings)
          .grants.filter(({ account }) => account === 'sync-webhook')
          .map(({ role }) => role),
      );
    const ofDatabase = ['roles/cloudsql.client', 'roles/cloudsql.instanceUser'];
    const all = rolesWith({ REGISTER_FROM_WEBHOOK: 'true', CLOUD_SQL_INSTANCE: 'p:r:i' });
    expect(ofDatabase.filter((role) => all.has(role))).toEqual(ofDatabase);
    expect(rolesWith({ REGISTER_FROM_WEBHOOK: 'false', CLOUD_SQL_INSTANCE: 'p:r:i' })).toEqual(
      new Set([
        'roles/datastore.user',
        'roles/eventarc.eventReceiver',
        'roles/run.invoker',
        'roles/secretmanager.secretAccessor',
        'roles/secretmanager.viewer',
      ]),
    );
  });
});

const TABLE = (row: string) => `
| account | functions | what it does |
|---|---|---|
| a-one | f, g | works |

| account | role | on | when | why |
|---|---|---|---|---|
${row}
`;

describe('the table', () => {
  it('is read with one grant a place', () => {
    const { grants } = parseIamTable(TABLE('| a-one | roles/x.y | secrets s, t | | because |'));
    expect(grants.map(({ on }) => on)).toEqual([
      { kind: 'secret', name: 's' },
      { kind: 'secret', name: 't' },
    ]);
  });

  it('has rows that hold with a setting alone: with its value, or with any', () => {
    const table = parseIamTable(
      TABLE(
        [
          '| a-one | roles/x.always | project | | because |',
          '| a-one | roles/x.value | project | `REGISTER_FROM_WEBHOOK=true` | because |',
          '| a-one | roles/x.any | project | `CLOUD_SQL_INSTANCE` | because |',
        ].join('\n'),
      ),
    );
    const rolesWith = (values: Readonly<Record<string, string>>) =>
      withSettings(table, values).grants.map(({ role }) => role);
    expect(rolesWith({})).toEqual(['roles/x.always']);
    expect(rolesWith({ REGISTER_FROM_WEBHOOK: 'false', CLOUD_SQL_INSTANCE: '' })).toEqual(['roles/x.always']);
    expect(rolesWith({ REGISTER_FROM_WEBHOOK: 'true' })).toEqual(['roles/x.always', 'roles/x.value']);
    expect(rolesWith({ CLOUD_SQL_INSTANCE: 'p:r:i' })).toEqual(['roles/x.always', 'roles/x.any']);
  });

  it.each([
    ['an unknown account', '| b-two | roles/x.y | project | | because |'],
    ['no role', '| a-one | x.y | project | | because |'],
    ['no reason', '| a-one | roles/x.y | project | | |'],
    ['an unknown place', '| a-one | roles/x.y | folder | | because |'],
    ['an unknown setting', '| a-one | roles/x.y | project | REGISTER_FROM_WEBOOK=true | because |'],
    ['too few cells', '| a-one | roles/x.y |'],
  ])('is refused with %s', (_title, row) => {
    expect(() => parseIamTable(TABLE(row))).toThrow('docs/iam.md');
  });
});

describe('the commands of npm run iam', () => {
  const place: IamPlace = {
    project: 'demo-iam',
    region: 'europe-west2',
    bucket: 'lists',
    present: {
      accounts: new Set(['sync-roster@demo-iam.iam.gserviceaccount.com']),
      functions: new Set(['refreshRoster']),
    },
    secretsNamed: (usual) => (usual === 'django-api-token' ? ['renamed-token'] : []),
    isDeployed: (name) => name === 'syncMemberList' || name === 'refreshRoster',
  };

  it('make what is missing, by the names that this project uses', async () => {
    const { commands, later } = planIam(await readIamTable(), place);
    const lines = commands.map((args) => args.join(' '));
    expect(lines.filter((line) => line.includes('create'))).toEqual([]);
    expect(lines.every((line) => line.includes('sync-roster@demo-iam'))).toBe(true);
    expect(lines.filter((line) => line.startsWith('secrets'))).toEqual([
      expect.stringContaining('secrets add-iam-policy-binding renamed-token'),
    ]);
    expect(lines.filter((line) => line.startsWith('storage'))).toEqual([
      expect.stringContaining('gs://lists'),
    ]);
    expect(lines.filter((line) => line.startsWith('run'))).toEqual([
      expect.stringContaining(' refreshroster '),
    ]);
    expect(later).toEqual(['syncMemberList']);
  });

  it('make an account that is not there before its roles', async () => {
    const present = { accounts: new Set<string>(), functions: new Set<string>() };
    const { commands } = planIam(await readIamTable(), { ...place, present });
    expect(commands[0]?.slice(0, 4)).toEqual(['iam', 'service-accounts', 'create', 'sync-roster']);
  });

  describe('given to gcloud', () => {
    const UNKNOWN =
      'ERROR: (gcloud) INVALID_ARGUMENT: Service account a@p.iam.gserviceaccount.com does not exist.';
    const clock = { now: () => 0, sleep: async () => undefined, random: () => 0.5 };

    /** A gcloud that says this so often before it does as it is told. */
    const given = (says: string, times: number) => {
      const calls: string[] = [];
      const said: string[] = [];
      const change = async (_command: string, args: readonly string[]) => {
        calls.push(args.join(' '));
        if (calls.length <= times) throw new CommandFailed('gcloud', 1, says);
      };
      const ended = applyIam({ change }, [['one'], ['two']], { say: (line) => said.push(line), clock });
      return { ended, calls, said };
    };

    it('wait for an account that is not known everywhere yet', async () => {
      const { ended, calls, said } = given(UNKNOWN, 3);
      await ended;
      expect(calls).toEqual(['one', 'one', 'one', 'one', 'two']);
      expect(said).toHaveLength(3);
    });

    it('end where it stays unknown, and at once where anything else is wrong', async () => {
      const unknown = given(UNKNOWN, 100);
      await expect(unknown.ended).rejects.toThrow('does not exist');
      expect(unknown.calls).toHaveLength(20);
      const denied = given('ERROR: (gcloud) PERMISSION_DENIED', 1);
      await expect(denied.ended).rejects.toThrow('PERMISSION_DENIED');
      expect(denied.calls).toEqual(['one']);
    });
  });
});
