import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDeployedFunctions, serviceOf } from '../../src/deploy/deployed-functions.ts';
import { REGISTER_APIS } from '../../src/deploy/steps/preflight.ts';
import { failure } from './gcloud-prints.ts';
import { answersOfReadyProject, PROJECT } from './ready-project.ts';
import { type Project, startProject } from './try-deploy.ts';

let project: Project;
beforeEach(async () => {
  project = await startProject();
});
afterEach(() => project.close());

const changesIn = (calls: readonly string[]): string[] =>
  calls.filter((call) =>
    /^(npm|firebase deploy)|\b(update|create|update-traffic|add-iam-policy-binding)\b/.test(call),
  );

describe('a deployment to a project that is ready', () => {
  it('deploys rules, indexes and functions in this order, then lets Eventarc call, then tries everything', async () => {
    const { isDeployed, calls, said } = await project.deploy();

    expect(said).not.toContain('FAILED');
    expect(isDeployed).toBe(true);
    const events = (await readDeployedFunctions()).filter(({ kind }) => kind === 'event');
    expect(changesIn(calls).map((call) => call.replace(' --non-interactive', ''))).toEqual([
      `firebase deploy --only firestore:rules,storage --project ${PROJECT}`,
      `firebase deploy --only firestore:indexes --project ${PROJECT}`,
      `firebase deploy --only functions --project ${PROJECT}`,
      ...events.map(({ name }) => expect.stringMatching(`add-iam-policy-binding ${serviceOf(name)} `)),
      `firebase deploy --only hosting --project ${PROJECT}`,
    ]);
    const first = (part: string) => calls.findIndex((call) => call.includes(part));
    expect(first('secrets versions list')).toBeLessThan(first('firebase deploy'));
    expect(first('jobs list')).toBeGreaterThan(first('--only functions'));
  });

  it('asks the doctor before it changes anything, shows what he finds with the remedy, and goes on: it may be the cure', async () => {
    await project.standIns.answer({
      to: 'functions list',
      print: JSON.stringify([
        { name: `projects/${PROJECT}/locations/europe-west2/functions/syncMemberList`, state: 'FAILED' },
      ]),
    });
    const { isDeployed, calls, said } = await project.deploy();
    expect(calls.findIndex((call) => call.startsWith('gcloud functions list'))).toBeLessThan(
      calls.findIndex((call) => changesIn([call]).length > 0),
    );
    expect(said).toMatch(/ 2\/\d+ doctor\n/);
    expect(said).toContain('bad: configuration: syncMemberList is FAILED, not ACTIVE');
    expect(said).toContain(`-> npm run deploy -- --project ${PROJECT}`);
    expect(isDeployed).toBe(true);
  });

  it('has no doctor where nothing is deployed yet, or where he may not look', async () => {
    expect((await project.deploy({ dryRun: true })).said).toContain('nothing is deployed yet');
    await project.standIns.answer({ to: 'functions list', ...failure('deniedFunctions') });
    const { isDeployed, said } = await project.deploy({ dryRun: true });
    expect(isDeployed).toBe(true);
    expect(said).toMatch(/could not be read: .*functions list[\s\S]*does not have permission/);
  });

  it('proves that the webhook refuses, then plans a run of each mirror that there is', async () => {
    const { calls } = await project.deploy();

    const bearer = 'Bearer an-identity-token';
    expect(project.server.calls).toEqual([
      'POST /syncFromDjango unsigned {}',
      `GET /opsApi/status ${bearer}`,
      `POST /opsApi/runs ${bearer} {"mirror":"roster","dryRun":true}`,
      `POST /opsApi/runs ${bearer} {"mirror":"portal","dryRun":true}`,
    ]);
    expect(calls.find((call) => call.includes('print-identity-token'))).toContain(
      '--impersonate-service-account=operator@demo-deploy.iam.gserviceaccount.com',
    );
  });

  it('does the same when it is repeated', async () => {
    await project.deploy();
    const once = await project.standIns.calls();
    await project.standIns.forget();

    const { isDeployed, calls } = await project.deploy();

    expect(isDeployed).toBe(true);
    expect(calls.toSorted()).toEqual(once.toSorted());
  });

  it('changes nothing in a dry run and calls no function, but shows the commands', async () => {
    const { isDeployed, calls, said } = await project.deploy({ dryRun: true });

    expect(isDeployed).toBe(true);
    expect(changesIn(calls)).toEqual([]);
    expect(project.server.calls).toEqual([]);
    expect(said).toContain(`$ firebase deploy --only functions --project ${PROJECT}`);
  });

  it('tells which functions run as the default account', async () => {
    const names = (await readDeployedFunctions())
      .filter(({ account }) => account === null)
      .map(({ name }) => name);
    const { said } = await project.deploy({ dryRun: true });
    expect(said.includes("the project's default account runs")).toBe(names.length > 0);
    for (const name of names) expect(said).toContain(name);
  });

  it('lets firebase delete functions only when it is told to', async () => {
    const { calls } = await project.deploy({ force: true });
    expect(calls.filter((call) => call.includes('--force'))).toEqual([
      expect.stringContaining('--only functions'),
    ]);
  });
});

describe('what is not as it should be is mended', () => {
  it('gives a bucket versioning and the limits of older versions, and keeps rules about other objects', async () => {
    const other = { action: { type: 'Delete' }, condition: { age: 3, matchesPrefix: ['exports/'] } };
    await project.standIns.answer({
      to: 'storage buckets describe',
      print: JSON.stringify({ lifecycle: { rule: [other] } }),
    });

    const { isDeployed, calls } = await project.deploy();

    expect(isDeployed).toBe(true);
    const [update] = calls.filter((call) => call.includes('storage buckets update'));
    expect(update).toMatch(
      /gs:\/\/demo-deploy-lists --versioning --uniform-bucket-level-access --public-access-prevention --lifecycle-file=/,
    );
  });

  it('lets go of a revision that a rollback had pinned', async () => {
    const services = await answerTo('run services list');
    const pinned = { revisionName: 'syncmemberlist-00001-old', percent: 100 };
    await project.standIns.answer({
      to: 'run services list',
      print: services.replace(
        '"revisionName":"syncmemberlist-00002-new","percent":100,"latestRevision":true',
        JSON.stringify(pinned).slice(1, -1),
      ),
    });

    const { calls } = await project.deploy();

    expect(calls.filter((call) => call.includes('update-traffic'))).toEqual([
      `gcloud run services update-traffic syncmemberlist --to-latest --region=europe-west2 --project=${PROJECT}`,
    ]);
  });

  it('waits for an index that is being built, and goes no further when it takes too long', async () => {
    const print = (await answerTo('indexes composite list')).replaceAll('READY', 'CREATING');
    await project.standIns.answer({ to: 'indexes composite list', print });

    const { isDeployed, calls, said, waits } = await project.deploy();

    expect(isDeployed).toBe(false);
    expect(waits).toBe(5);
    expect(said).toContain('still being built after 1 minutes: index sync_audit');
    expect(calls.some((call) => call.includes('--only functions'))).toBe(false);
  });
});

describe('a project with a register', () => {
  beforeEach(async () => {
    await project.standIns.answer({
      to: 'services list --enabled',
      print: [...REGISTER_APIS, await answerTo('services list')].join('\n'),
    });
    await project.settings(
      `CLOUD_SQL_INSTANCE=p:europe-west2:i\nDATABASE_USER=functions@p.iam\nREGISTER_SUBSCRIBERS=elections=https://elections.example.is\n`,
    );
  });

  it('migrates as the owner of the schema before the functions come, and asks for its secrets', async () => {
    const { isDeployed, calls } = await project.deploy({ databaseOwner: 'owner@example.is' });

    expect(isDeployed).toBe(true);
    const at = (part: string) => calls.findIndex((call) => call.includes(part));
    expect(calls).toContain('DATABASE_USER=owner@example.is npm run migrate --silent');
    expect(at('npm run migrate')).toBeGreaterThan(at('firestore:indexes'));
    expect(at('npm run migrate')).toBeLessThan(at('--only functions'));
    expect(at('versions list register-webhook-elections')).toBeGreaterThan(0);
  });

  it('does not migrate as nobody', async () => {
    const { isDeployed, said, calls } = await project.deploy();
    expect(isDeployed).toBe(false);
    expect(said).toContain('Who owns the schema?');
    expect(calls.some((call) => call.startsWith('npm'))).toBe(false);
  });
});

const answerTo = async (command: string): Promise<string> =>
  (await answersOfReadyProject()).find(({ to }) => to.startsWith(command))?.print ?? '';
