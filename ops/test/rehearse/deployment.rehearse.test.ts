import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAlerts } from '../../src/alerts/read-alerts.ts';
import { jobOf, readDeployedFunctions, serviceOf } from '../../src/deploy/deployed-functions.ts';
import { emailOf, readIamTable, withSettings } from '../../src/deploy/iam-table.ts';
import { FUNCTIONS, holding, type Json, PROJECT, policyOf, REGION, RUN } from './project-state.ts';
import { BUCKET, hasGcloud, type Rehearsal, startRehearsal } from './rehearsal.ts';

const IAM = 'ops/src/deploy/iam-main.ts';
const DEPLOY = 'ops/src/deploy/main.ts';
const ROLLBACK = 'ops/src/deploy/rollback-main.ts';
const ALERTS = 'ops/src/alerts/main.ts';
const OPS = 'ops/src/cli/main.ts';
const IN_PROJECT = ['--project', PROJECT];

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await startRehearsal();
});
afterAll(() => rehearsal.close());

const state = () => rehearsal.google.state;
const membersOf = (what: string, role: string): string[] =>
  (policyOf(state(), what)['bindings'] as { role: string; members: string[]; condition?: object }[])
    .filter((binding) => binding.role === role && binding.condition === undefined)
    .flatMap(({ members }) => members);
const said = async (file: string, ...args: string[]): Promise<string> => {
  const { code, said: text } = await rehearsal.run(file, ...args);
  expect(text, text).not.toContain('FAILED');
  expect(code, text).toBe(0);
  return text;
};
const deploy = (...more: string[]) =>
  rehearsal.run(DEPLOY, ...IN_PROJECT, '--url', rehearsal.server.url, '--poll-seconds', '1', ...more);

/** One story, in the order of docs/deploy.md; each step stands on the one before. */
describe.skipIf(!hasGcloud)('from a new project to Monday', () => {
  it('a deployment to a project without accounts changes nothing and names the remedy', async () => {
    const { code, said: text } = await deploy();
    expect(code).toBe(1);
    expect(text).toContain(`npm run iam -- --project ${PROJECT} --apply`);
    expect(holding(state(), /^cloudfunctions/)).toEqual([]);
  });

  it('npm run iam makes what docs/iam.md says, beside bindings that have conditions', async () => {
    expect(await said(IAM, ...IN_PROJECT, '--apply')).toContain('After the first deployment, once more');
    const { accounts, grants } = withSettings(await readIamTable(), {});
    expect(holding(state(), /^accounts\//).map(({ email }) => email)).toEqual(
      accounts.map(({ name }) => emailOf(name, PROJECT)),
    );
    for (const { account, role, on } of grants.filter(
      ({ on: { kind } }) => kind !== 'function' && kind !== 'secret',
    )) {
      const what = on.kind === 'bucket' ? `buckets/${BUCKET}` : `projects/${PROJECT}`;
      expect(membersOf(what, role), `${role} on the ${on.kind}`).toContain(
        `serviceAccount:${emailOf(account, PROJECT)}`,
      );
    }
    expect(JSON.stringify(policyOf(state(), `projects/${PROJECT}`))).toContain('"title":"guest"');
  });

  it('npm run deploy goes through all steps, and switches no API on', async () => {
    const { code, said: text } = await deploy('--force');
    expect(text).toContain(`${PROJECT} is deployed.`);
    expect(code, text).toBe(0);
    const enabled = rehearsal.google.calls.filter(
      ({ method, what }) => method === 'POST' && what.endsWith(':enable'),
    );
    expect(enabled.map(({ what }) => what)).toEqual([]);
    expect([...new Set(rehearsal.google.unknown)]).toEqual([]);
  });

  it('what is deployed is the manifest: functions, their accounts, and the accounts of their jobs', async () => {
    const expected = await readDeployedFunctions();
    const deployed = holding(state(), new RegExp(`^${FUNCTIONS}/`));
    expect(deployed.map(({ name }) => String(name).split('/').at(-1)).toSorted()).toEqual(
      expected.map(({ name }) => name).toSorted(),
    );
    for (const { name, account, kind, ...rest } of expected) {
      const function_ = state().get(`${FUNCTIONS}/projects/${PROJECT}/locations/${REGION}/functions/${name}`);
      const email = emailOf(account ?? '', PROJECT);
      expect(function_, name).toMatchObject({ serviceConfig: { serviceAccountEmail: email } });
      if (kind !== 'schedule' || !('schedule' in rest)) continue;
      const job = state().get(
        `cloudscheduler.googleapis.com/projects/${PROJECT}/locations/${REGION}/jobs/${jobOf(name)}`,
      );
      expect(job, name).toMatchObject({
        schedule: rest.schedule.expression,
        timeZone: rest.schedule.timeZone,
        httpTarget: { oidcToken: { serviceAccountEmail: email } },
      });
      expect(membersOf(`services/${serviceOf(name)}`, 'roles/run.invoker')).toEqual([`serviceAccount:${email}`]);
    }
  });

  it('images outlive a rollback, and the archive holds the lock file, no source map and no settings', async () => {
    const repository = state().get(
      `artifactregistry.googleapis.com/projects/${PROJECT}/locations/${REGION}/repositories/gcf-artifacts`,
    );
    expect(Object.keys(repository?.['cleanupPolicies'] as Json).toSorted()).toEqual([
      'delete-old-images',
      'keep-for-rollback',
    ]);
    const names = namesInZip(Buffer.from(String(state().get('archive')?.['base64']), 'base64'));
    expect(names).toContain('package-lock.json');
    expect(names).toContain('lib/index.js');
    expect(names.filter((name) => /\.map$|^\.env|^src\/|^test\/|^build\.js$/.test(name))).toEqual([]);
  });

  it('npm run alerts makes every metric and policy of ops/alerts, and a second time none', async () => {
    const args = [...IN_PROJECT, '--email', 'operators@example.is', '--apply'];
    await said(ALERTS, ...args);
    const { metrics, policies } = await readAlerts();
    const count = () => [holding(state(), /^metrics\//).length, holding(state(), /\/alertPolicies\//).length];
    expect(count()).toEqual([metrics.length, policies.length]);
  });

  it('a job that somebody deleted is found, and comes back by the command that is shown', async () => {
    const key = `cloudscheduler.googleapis.com/projects/${PROJECT}/locations/${REGION}/jobs/${jobOf('syncMemberList')}`;
    state().delete(key);
    const { said: text } = await rehearsal.run(OPS, 'doctor', ...IN_PROJECT);
    const remedy = `deploy --only functions:syncMemberList --project ${PROJECT}`;
    expect(text).toContain(remedy);
    await rehearsal.firebase(...remedy.split(' '), '--non-interactive');
    expect(state().has(key)).toBe(true);
  });

  it('npm run rollback-deploy lets the revisions before answer, and the next deployment goes forward', async () => {
    for (const { name } of await readDeployedFunctions()) {
      const key = `revisions/${serviceOf(name)}/${serviceOf(name)}-00000-old`;
      const newest = holding(state(), new RegExp(`^revisions/${serviceOf(name)}/`)).at(-1) as Json;
      const metadata = {
        ...(newest['metadata'] as Json),
        name: `${serviceOf(name)}-00000-old`,
        creationTimestamp: '2026-01-01T00:00:00Z',
      };
      state().set(key, { ...newest, metadata });
    }
    await said(ROLLBACK, ...IN_PROJECT);
    for (const { name } of await readDeployedFunctions()) {
      expect(state().get(`${RUN}/services/${serviceOf(name)}`), name).toMatchObject({
        spec: { traffic: [{ revisionName: `${serviceOf(name)}-00000-old`, percent: 100 }] },
      });
    }
  });
});

describe.skipIf(!hasGcloud)('a deployment is refused before the first change', () => {
  let other: Rehearsal;
  beforeAll(async () => {
    other = await startRehearsal();
    for (const { name } of (await readIamTable()).accounts) {
      const email = emailOf(name, PROJECT);
      other.google.state.set(`accounts/${email}`, {
        email,
        name: `projects/${PROJECT}/serviceAccounts/${email}`,
      });
    }
  });
  afterAll(() => other.close());
  const changes = () =>
    other.google.calls.filter(
      ({ method, what }) => method !== 'GET' && !/oauth2|token|:getIamPolicy|:test/i.test(what),
    );

  it.each<[string, string, () => void | Promise<void>]>([
    [
      'no Firebase project',
      'projects:addfirebase',
      () => void other.google.refuse(/adminSdkConfig/, 404, 'none'),
    ],
    [
      'no default bucket',
      'no default bucket',
      () => {
        other.google.forgive();
        other.google.state.set('adminSdkConfig', { projectId: PROJECT });
      },
    ],
    [
      'an API that is off',
      'gcloud services enable run.googleapis.com',
      () => void other.google.state.delete('services/run.googleapis.com'),
    ],
    [
      'a param that is missing',
      'does not name GUARD_REMOVED_MAX',
      () => other.setEnv((text) => text.replace(/^GUARD_REMOVED_MAX=.*$/m, '')),
    ],
  ])('%s', async (_what, word, change) => {
    await change();
    const { code, said: text } = await other.run(DEPLOY, ...IN_PROJECT, '--url', other.server.url);
    expect(code).toBe(1);
    expect(text).toContain('Stopped at "preflight"');
    expect(text).toContain(word);
    expect(changes()).toEqual([]);
  });

  it('a right that the deployer lacks is said as Google says it', async () => {
    await other.setEnv((text) => text);
    other.google.refuse(/setIamPolicy/, 403, 'Permission resourcemanager.projects.setIamPolicy denied');
    const { code, said: text } = await other.run(IAM, ...IN_PROJECT, '--apply');
    expect(code).toBe(1);
    expect(text).toContain('setIamPolicy');
    expect(text).toContain('Give the same command again');
  });
});

/** The names in a zip archive, from its central directory. */
const namesInZip = (zip: Buffer): string[] => {
  const names: string[] = [];
  const end = zip.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const length = zip.readUInt16LE(at + 28);
    names.push(zip.toString('utf8', at + 46, at + 46 + length));
    at += 46 + length + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return names;
};
