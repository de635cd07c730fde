import { expect, it } from 'vitest';
import { WELL } from '../../../functions/test/ops/support/status-answers.ts';
import type { NamedFinding } from '../../src/cli/doctor/check.ts';
import { defaultAudience } from '../../src/cli/places.ts';
import { emailOf } from '../../src/deploy/iam-table.ts';
import { failure, listed } from '../deploy/gcloud-prints.ts';
import { SIGNED_OUT_OUTPUT } from '../deploy/stand-in-commands.ts';
import { type Answers, makeGcloudStandIn } from './gcloud-stand-in.ts';
import { type Asked, type Reply, startServer } from './http-server.ts';
import { runOps, tooWide } from './run-ops.ts';
import { BUCKET, makeWellProject, PROJECT } from './well-project.ts';

const TOKEN = 'Token token-of-the-test';

/** The API, the webhook and the registry of a project that is well. */
const replyWell = ({ path, authorization }: Asked): Reply => {
  if (path === '/opsApi/status') return { status: 200, body: WELL };
  if (path === '/syncFromDjango') return { status: 401, body: {} };
  if (path === '/felagar/api/sync/status/') return { status: authorization === TOKEN ? 200 : 401, body: {} };
  return { status: 404, body: {} };
};

type WellProject = Awaited<ReturnType<typeof makeWellProject>>;

const examine = async (
  change: (well: WellProject) => Answers = (well) => well,
  reply: (asked: Asked) => Reply = replyWell,
  more: readonly string[] = ['--json'],
) => {
  const server = await startServer(reply);
  const gcloud = await makeGcloudStandIn(change(await makeWellProject(server.url)));
  const target = ['--project', PROJECT, '--url', `${server.url}/opsApi`];
  const ended = await runOps(['doctor', ...target, ...more], { env: gcloud.env });
  return { ...ended, server, calls: await gcloud.calls() };
};

const findings = (stdout: string): NamedFinding[] => JSON.parse(stdout);
const notOk = (stdout: string): NamedFinding[] => findings(stdout).filter(({ state }) => state !== 'ok');

it('a project as the source wants it is well, and every check has looked', async () => {
  const { code, stdout, calls, server } = await examine();
  expect(notOk(stdout)).toEqual([]);
  expect(code).toBe(0);
  expect(new Set(findings(stdout).map(({ check }) => check))).toEqual(
    new Set([
      ...['configuration', 'secrets', 'registry', 'bucket', 'firestore', 'schedules', 'iam'],
      ...['api', 'versions', 'webhook'],
    ]),
  );
  // It only reads: no command of it changes a project.
  for (const call of calls)
    expect(call).toMatch(
      / (list|describe|get-iam-policy|access|print-identity-token|print-access-token)( |$)/,
    );
  expect(calls).toContain(`auth print-identity-token --audiences ${defaultAudience(PROJECT)}`);
  expect(stdout).not.toContain('token-of-the-test');
  expect(server.asked.find(({ path }) => path === '/opsApi/status')?.authorization).toBe(
    'Bearer identity-token-of-the-test',
  );
});

it('shows one finding a line, in 80 columns, and the remedy of what is wrong', async () => {
  const { code, stdout } = await examine((well) => ({ ...well, 'scheduler jobs list': [] }), replyWell, []);
  expect(code).toBe(1);
  // Commands are to be copied, and so not broken.
  expect(tooWide(stdout.replaceAll(/^ +-> .*$/gm, ''))).toEqual([]);
  expect(stdout).toMatch(/^bad +schedules +syncMemberList has no schedule$/m);
  expect(stdout).toContain(
    `-> npx firebase-tools@15.34.2 deploy --only functions:syncMemberList --project ${PROJECT}`,
  );
});

it('what gcloud may not see is unknown, never well, and hides nothing else', async () => {
  const { code, stdout } = await examine((well) => ({
    ...well,
    'projects get-iam-policy': { fails: failure('deniedPolicy').print },
  }));
  expect(code).toBe(1);
  expect(notOk(stdout)).toEqual([
    expect.objectContaining({
      check: 'iam',
      state: 'unknown',
      text: expect.stringContaining('does not have permission'),
    }),
  ]);
});

it('an answer of another shape is unknown too', async () => {
  const { stdout } = await examine((well) => ({
    ...well,
    'storage buckets describe': { versioning: 'yes' },
  }));
  expect(notOk(stdout)).toMatchObject([{ check: 'bucket', state: 'unknown' }]);
});

it('without gcloud nothing can be looked at, which is said once', async () => {
  const server = await startServer(replyWell);
  const target = ['--project', PROJECT, '--url', `${server.url}/opsApi`];
  const { code, stdout, stderr } = await runOps(['doctor', ...target], { env: { PATH: '/nowhere' } });
  expect(code).toBe(1);
  expect(stdout).not.toMatch(/^(?:ok|bad|unknown) /m);
  expect(stderr.match(/gcloud/g)).toHaveLength(1);
  expect(stderr).toContain('gcloud is not installed or not on the PATH.');
});

it('where nobody is signed in, one line says so and what to do, and nothing else is asked', async () => {
  const { code, stdout, stderr, calls } = await examine(
    () => ({ 'auth print-access-token': { fails: SIGNED_OUT_OUTPUT } }),
    replyWell,
    [],
  );
  expect(code).toBe(1);
  expect(stdout).not.toMatch(/^(?:ok|bad|unknown) /m);
  expect(stderr.match(/signed in|auth login|ERROR/g)).toEqual(['signed in', 'auth login']);
  expect(calls).toEqual(['auth print-access-token']);
});

const OLD = listed('versions', { createTime: '2020-01-01T00:00:00Z' });
const wide = (account: string, role: string) => ({
  role,
  members: [`serviceAccount:${emailOf(account, PROJECT)}`],
});

const FAULTS: [title: string, (well: WellProject) => Answers, Partial<NamedFinding>][] = [
  [
    'a function that is not deployed',
    (well) => ({
      ...well,
      'functions list': well['functions list'].filter(({ name }) => !name.endsWith('/opsApi')),
    }),
    { check: 'configuration', text: 'opsApi is not deployed' },
  ],
  [
    'a secret without an enabled version',
    (well) => ({
      ...well,
      'secrets versions list django-api-token': [{ ...OLD, state: 'DISABLED' }],
    }),
    { check: 'secrets', text: 'django-api-token has no enabled version' },
  ],
  [
    'a token that nobody has renewed for years',
    (well) => ({ ...well, 'secrets versions list django-webhook-secret': [OLD] }),
    { check: 'secrets', text: expect.stringContaining('django-webhook-secret: 1 enabled, the newest') },
  ],
  [
    'a token that the registry refuses',
    (well) => ({ ...well, 'secrets versions access latest': 'another' }),
    { check: 'registry', text: 'refuses the token (401)' },
  ],
  [
    'a bucket without versions',
    (well) => ({
      ...well,
      'storage buckets describe': { ...well['storage buckets describe'], versioning: { enabled: false } },
    }),
    { check: 'bucket', text: 'versioning is off' },
  ],
  [
    'a TTL policy that is missing',
    (well) => ({
      ...well,
      'firestore fields ttls list': well['firestore fields ttls list'].filter(
        ({ name }) => !name.endsWith('/sync_audit/fields/expireAt'),
      ),
    }),
    { check: 'firestore', text: 'TTL sync_audit.expireAt: missing' },
  ],
  [
    'a schedule that somebody paused',
    (well) => ({
      ...well,
      'scheduler jobs list': well['scheduler jobs list'].map((job) =>
        job.name.endsWith('reconcileMembers-europe-west2') ? { ...job, state: 'PAUSED' } : job,
      ),
    }),
    {
      check: 'schedules',
      text: 'reconcileMembers is PAUSED',
      remedy: expect.stringContaining('jobs resume'),
    },
  ],
  [
    'a role that the document does not give',
    (well) => ({
      ...well,
      'projects get-iam-policy': {
        bindings: [...well['projects get-iam-policy'].bindings, wide('sync-webhook', 'roles/editor')],
      },
    }),
    { check: 'iam', remedy: expect.stringContaining('remove-iam-policy-binding') },
  ],
  [
    'a role that is left over from a setting that is off',
    (well) => ({
      ...well,
      'projects get-iam-policy': {
        bindings: [
          ...well['projects get-iam-policy'].bindings,
          wide('sync-webhook', 'roles/cloudsql.client'),
        ],
      },
    }),
    { check: 'iam', text: expect.stringContaining('roles/cloudsql.client') },
  ],
  [
    'a list that everybody can read',
    (well) => ({
      ...well,
      'storage buckets get-iam-policy': {
        bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'] }],
      },
    }),
    { check: 'iam', text: `allUsers has roles/storage.objectViewer on the bucket gs://${BUCKET}` },
  ],
];

it.each(FAULTS)('finds %s, and nothing else', async (_title, change, expected) => {
  const { code, stdout } = await examine(change);
  expect(notOk(stdout)).toEqual([expect.objectContaining({ state: 'bad', ...expected })]);
  expect(code).toBe(1);
});

it('lets the webhook reach the database where the settings say that it writes there', async () => {
  const server = await startServer(replyWell);
  const settings = { REGISTER_FROM_WEBHOOK: 'true', CLOUD_SQL_INSTANCE: `${PROJECT}:europe-west2:register` };
  const well = await makeWellProject(server.url, settings);
  expect(JSON.stringify(well['projects get-iam-policy'])).toContain('sync-webhook');
  const gcloud = await makeGcloudStandIn(well);
  const target = ['--project', PROJECT, '--url', `${server.url}/opsApi`];
  const { stdout } = await runOps(['doctor', ...target, '--json'], { env: gcloud.env });
  expect(findings(stdout).filter(({ check }) => check === 'iam')).toMatchObject([{ state: 'ok' }]);
});

it('a webhook that takes an unsigned call is the worst that can be found', async () => {
  const { stdout } = await examine(undefined, (asked) =>
    asked.path === '/syncFromDjango' ? { status: 200, body: {} } : replyWell(asked),
  );
  expect(notOk(stdout)).toMatchObject([
    { check: 'webhook', state: 'bad', text: 'took an unsigned call (200)' },
  ]);
});
