import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dryRunAnswer, FIREBASE } from './functions-server.ts';
import { described, failure } from './gcloud-prints.ts';
import { answersOfReadyProject, BUILDER, PROJECT } from './ready-project.ts';
import { SIGNED_OUT_OUTPUT } from './stand-in-commands.ts';
import { type Project, startProject } from './try-deploy.ts';

const MONDAY = {
  name: `projects/${PROJECT}/locations/europe-west2/jobs/firebase-schedule-syncMemberList-europe-west2`,
};

let project: Project;
beforeEach(async () => {
  project = await startProject();
});
afterEach(() => project.close());

describe('a step that fails stops the rest and says what to do', () => {
  it.each([
    [
      'nobody is signed in',
      { to: 'gcloud ', status: 1, print: SIGNED_OUT_OUTPUT },
      'preflight',
      'gcloud auth login',
      'secrets versions',
    ],
    [
      'a service is not enabled',
      { to: 'services list', print: 'run.googleapis.com' },
      'preflight',
      'gcloud services enable',
      'secrets versions',
    ],
    [
      'an account is missing',
      { to: 'service-accounts list', print: '' },
      'preflight',
      'npm run iam',
      'secrets versions',
    ],
    [
      'nobody may build images, as in a new organization',
      {
        to: 'projects get-iam-policy',
        print: JSON.stringify(
          described('projectPolicy', {
            bindings: [
              { role: 'roles/run.invoker', members: [`serviceAccount:${BUILDER}`] },
              { role: 'roles/cloudbuild.builds.builder', members: ['user:somebody@example.is'] },
            ],
          }),
        ),
      },
      'preflight',
      `${BUILDER} may not build functions: npm run iam`,
      'secrets versions',
    ],
    [
      'the database is of another kind',
      {
        to: 'databases describe',
        print: JSON.stringify(described('database', { type: 'DATASTORE_MODE' })),
      },
      'preflight',
      'not FIRESTORE_NATIVE',
      'secrets versions',
    ],
    [
      'a secret does not exist',
      { to: 'versions list django-api-token', ...failure('noSecret') },
      'secrets',
      'django-api-token does not exist',
      'buckets',
    ],
    [
      'a secret has no version',
      { to: 'versions list member-reference-key', print: '' },
      'secrets',
      'no enabled version',
      'buckets',
    ],
    [
      'a secret may not be seen',
      { to: 'versions list django-api-token', ...failure('deniedVersions') },
      'secrets',
      'PERMISSION_DENIED',
      'buckets',
    ],
    [
      'there is no bucket',
      { to: 'buckets describe', ...failure('noBucket') },
      'bucket',
      'There is no gs://',
      'firebase deploy',
    ],
    [
      'the rules do not compile',
      { to: 'firestore:rules', ...failure('rulesFail') },
      'rules',
      'functions/test/rules',
      'firestore:indexes',
    ],
    [
      'an index is missing',
      { to: 'composite list', print: '[]' },
      'indexes and TTL',
      'missing',
      '--only functions',
    ],
    [
      'a function does not build',
      { to: '--only functions', ...failure('buildFails') },
      'functions',
      'npm run rollback-deploy',
      'run services list',
    ],
    [
      'Eventarc may not be let in',
      { to: 'add-iam-policy-binding', ...failure('deniedInvoker') },
      'callers of event functions',
      'roles/run.admin',
      'jobs list',
    ],
    [
      'a schedule is missing',
      { to: 'jobs list', print: '[]' },
      'schedules',
      'has no job',
      'print-identity-token',
    ],
    [
      'a schedule has another time',
      {
        to: 'jobs list',
        print: JSON.stringify([{ ...MONDAY, state: 'ENABLED', schedule: '0 5 * * *', timeZone: 'UTC' }]),
      },
      'schedules',
      'runs at 0 5 * * * UTC',
      'print-identity-token',
    ],
  ])('%s', async (_title, answer, step, word, after) => {
    await project.standIns.answer(answer);

    const { isDeployed, said, calls } = await project.deploy();

    expect(isDeployed).toBe(false);
    expect(said).toContain(`Stopped at "${step}".`);
    expect(said).toContain(word);
    expect(said).toContain('Not done: ');
    expect(calls.filter((call) => call.includes(after))).toEqual([]);
    expect(project.server.calls).toEqual([]);
  });

  it('whoever may not see the roles of the project may deploy all the same, and reads that they were not seen', async () => {
    await project.standIns.answer({ to: 'projects get-iam-policy', ...failure('deniedPolicy') });
    const { said, isDeployed } = await project.deploy();
    expect(said).toContain('builds: not seen');
    expect(isDeployed).toBe(true);
  });

  it('who is not signed in to gcloud reads so once, and what to do', async () => {
    await project.standIns.answer({ to: 'gcloud ', status: 1, print: SIGNED_OUT_OUTPUT });
    const { said, calls } = await project.deploy();
    expect(said.match(/not signed in/g)).toHaveLength(1);
    expect(said).toContain('FAILED: gcloud is not signed in: gcloud auth login\n');
    expect(said).not.toMatch(/config set account|obtain new credentials/);
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['it is no Firebase project', { status: 404, body: {} }, 'projects:addfirebase demo-deploy'],
    ['it has no default bucket', { status: 200, body: { projectId: 'demo-deploy' } }, 'no default bucket'],
    ['Firebase may not be asked', { status: 403, body: {} }, 'Firebase answered 403'],
  ])('before anything changes: %s', async (_title, answer, word) => {
    project.server.answers.set(FIREBASE, answer);
    const { isDeployed, said, calls } = await project.deploy();
    expect(isDeployed).toBe(false);
    expect(said).toContain('Stopped at "preflight"');
    expect(said).toContain(word);
    expect(calls.filter((call) => call.startsWith('firebase deploy'))).toEqual([]);
  });

  it.each([
    [
      'the webhook takes an unsigned call',
      'POST /syncFromDjango',
      { status: 200, body: {} },
      'answered 200, not 401',
    ],
    [
      'the operators cannot be answered',
      'GET /opsApi/status',
      { status: 500, body: { code: 'config_invalid' } },
      '500: config_invalid',
    ],
    ['the answer is of another shape', 'GET /opsApi/status', { status: 200, body: { at: 'now' } }, 'mirrors'],
    [
      'a dry run fails',
      'POST /opsApi/runs',
      { status: 503, body: { code: 'registry_unreachable' } },
      '503: registry_unreachable',
    ],
    [
      'a dry run did not run',
      'POST /opsApi/runs',
      { status: 200, body: dryRunAnswer({ outcome: 'skipped' }) },
      'ended skipped',
    ],
  ])('%s', async (_title, call, answer, word) => {
    project.server.answers.set(call, answer);

    const { isDeployed, said } = await project.deploy();

    expect(isDeployed).toBe(false);
    expect(said).toContain('Stopped at "smoke test".');
    expect(said).toContain(word);
  });

  it('a paused schedule is told, and left to whom it belongs', async () => {
    const jobs = (await answersOfReadyProject()).find(({ to }) => to === 'scheduler jobs list')?.print ?? '';
    const paused = JSON.parse(jobs).map((job: object) =>
      'name' in job && job.name === MONDAY.name ? { ...job, state: 'PAUSED' } : job,
    );
    await project.standIns.answer({ to: 'jobs list', print: JSON.stringify(paused) });
    const { isDeployed, said } = await project.deploy();
    expect(isDeployed).toBe(true);
    expect(said).toContain('syncMemberList is paused');
  });

  it('wrong settings stop before anything is asked of the bucket', async () => {
    await project.settings(`GUARD_REMOVED_PERCENT=many\n`);
    const { said, calls } = await project.deploy();
    expect(said).toContain('GUARD_REMOVED_PERCENT');
    expect(calls.some((call) => call.includes('buckets'))).toBe(false);
  });
});
