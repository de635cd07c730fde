import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAlerts } from '../../src/alerts/read-alerts.ts';
import { FIREBASE_TOOLS } from '../../src/deploy/deploy-with-firebase.ts';
import { jobOf, readDeployedFunctions, serviceOf } from '../../src/deploy/deployed-functions.ts';
import { emailOf, readIamTable, withSettings } from '../../src/deploy/iam-table.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { readDeployPage, readNotRehearsed, readShown, type ShownLine } from './deploy-page.ts';
import {
  FUNCTIONS,
  holding,
  type Json,
  PROJECT,
  PROJECT_NUMBER,
  policyOf,
  REGION,
  RUN,
} from './project-state.ts';
import { recordFirebase, recordGcloud } from './record-gcloud.ts';
import { BUCKET, hasGcloud, type Rehearsal, startRehearsal } from './rehearsal.ts';

let rehearsal: Rehearsal;
let page: readonly ShownLine[];
let notRehearsed: readonly RegExp[];
const followed = new Set<string>();
beforeAll(async () => {
  rehearsal = await startRehearsal({ state: new Map() });
  [page, notRehearsed] = await Promise.all([readDeployPage(), readNotRehearsed()]);
});
afterAll(() => rehearsal.close());

const state = () => rehearsal.google.state;
const membersOf = (what: string, role: string): string[] =>
  (policyOf(state(), what)['bindings'] as { role: string; members: string[]; condition?: object }[])
    .filter((binding) => binding.role === role && binding.condition === undefined)
    .flatMap(({ members }) => members);
const isLeftOut = (line: string): boolean => notRehearsed.some((one) => one.test(line));
/** Gives a command that docs/deploy.md shows, word by word. Nobody can be asked here, which `--force` is for. */
const follow = async (line: string, more = ''): Promise<string> => {
  expect(await readShown()).toContain(line);
  followed.add(line);
  const filled = line.replace('ACCOUNT', '012345-678901-ABCDEF');
  const { code, said } = await rehearsal.give(`${filled}${more}`, 'token-of-the-rehearsal');
  expect(said, said).not.toContain('FAILED');
  expect(code, said).toBe(0);
  return said;
};
const followStep = async (step: number): Promise<void> => {
  for (const { line } of page.filter((one) => one.step === step && !isLeftOut(one.line))) await follow(line);
};

/** docs/deploy.md, step by step; each stands on the one before. */
describe.skipIf(!hasGcloud)('from nothing to Monday', () => {
  it('1 to 3: project, plan, Firebase, APIs and stores', async () => {
    for (const step of [1, 2, 3]) await followStep(step);
    // The console's part.
    state().set('adminSdkConfig', { projectId: PROJECT, storageBucket: `${PROJECT}.firebasestorage.app` });
    state().set('users/1', { localId: '1', email: 'anna@example.is' });
    expect(state().get('billingInfo')).toMatchObject({ billingEnabled: true });
  });

  it('5 and 6: secrets whose values gcloud keeps as they were made, and settings', async () => {
    await followStep(5);
    await followStep(6);
    await follow('gcloud iam service-accounts create operator --project P');
    await rehearsal.setEnv((text) => text);
    const values = ['django-api-token', 'django-webhook-secret', 'admin-api-key'].map((name) =>
      String(state().get(`secrets/${name}/versions/1`)?.['payload']),
    );
    expect(values).toEqual([
      'token-of-the-rehearsal',
      expect.stringMatching(/^whsec_[\w+/]{43}=$/),
      expect.stringMatching(/^[\da-f]{64}$/),
    ]);
  });

  it('7: the accounts and roles that docs/iam.md says, beside bindings that have conditions', async () => {
    await followStep(7);
    const { accounts, grants } = withSettings(await readIamTable(), {});
    expect(holding(state(), /^accounts\//).map(({ email }) => email)).toEqual(
      ['operator', ...accounts.map(({ name }) => name)].map((name) => emailOf(name, PROJECT)),
    );
    for (const { account, role, on } of grants) {
      if (on.kind === 'function' || on.kind === 'secret') continue;
      const what = on.kind === 'bucket' ? `buckets/${BUCKET}` : `projects/${PROJECT}`;
      expect(membersOf(what, role), `${role} on the ${on.kind}`).toContain(
        `serviceAccount:${emailOf(account, PROJECT)}`,
      );
    }
    expect(membersOf(`projects/${PROJECT}`, 'roles/cloudbuild.builds.builder')).toEqual([
      `serviceAccount:${PROJECT_NUMBER}-compute@developer.gserviceaccount.com`,
    ]);
    expect(JSON.stringify(policyOf(state(), `projects/${PROJECT}`))).toContain('"title":"guest"');
  });

  it('8: a dry run changes nothing; a deployment goes through all steps, and switches no API on', async () => {
    const before = rehearsal.google.calls.length;
    const changes = () =>
      rehearsal.google.calls
        .slice(before)
        .filter(({ method, what }) => method !== 'GET' && !/token$|:getIamPolicy|:test/i.test(what));
    expect(await follow('npm run deploy -- --project P --dry-run')).toContain('Nothing was changed');
    expect(changes()).toEqual([]);
    expect(await follow('npm run deploy -- --project P', ' --force')).toContain(`${PROJECT} is deployed.`);
    expect(changes().filter(({ what }) => what.endsWith(':enable'))).toEqual([]);
    expect(rehearsal.server.calls.join('\n')).toContain('POST /opsApi/runs Bearer');
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
      expect(membersOf(`services/${serviceOf(name)}`, 'roles/run.invoker')).toEqual([
        `serviceAccount:${email}`,
      ]);
    }
  });

  it.each([
    ['cloud.firestore', 'firestore.rules'],
    [`firebase.storage/${PROJECT}.firebasestorage.app`, 'storage.rules'],
  ])('the rules of %s are those of %s', async (service, file) => {
    const release = state().get(`releases:projects/${PROJECT}/releases/${service}`);
    expect(state().get(`firebaserules.googleapis.com/${release?.['rulesetName']}`)).toMatchObject({
      source: { files: [{ content: await readFile(join(ROOT, file), 'utf8') }] },
    });
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

  it('9: callers are named, the registry gets the secret, and nothing is found that is not well', async () => {
    await followStep(9);
    for (const { account, on } of withSettings(await readIamTable(), {}).grants) {
      if (on.kind !== 'function') continue;
      expect(membersOf(`services/${serviceOf(on.name)}`, 'roles/run.invoker'), on.name).toContain(
        `serviceAccount:${emailOf(account, PROJECT)}`,
      );
    }
    const said = await follow('npm run ops -- doctor --project P --as operator@P.iam.gserviceaccount.com');
    expect(said.match(/^(?:bad|unknown) .*/gm)).toBeNull();
  });

  it('10: an operator, and every metric and policy of ops/alerts', async () => {
    await followStep(10);
    expect(await follow('npm run operator -- list --project P')).toContain('anna@example.is');
    const { metrics, policies } = await readAlerts();
    expect(holding(state(), /^metrics\//)).toEqual(
      metrics.map(({ content }) => expect.objectContaining({ name: content.name })),
    );
    expect(holding(state(), /\/alertPolicies\//)).toEqual(
      policies.map(({ content }) =>
        expect.objectContaining({ displayName: content.displayName, userLabels: content.userLabels }),
      ),
    );
  });

  it('12: a schedule is paused, goes on, and is run by hand', async () => {
    const place = 'firebase-schedule-syncMemberList-europe-west2 --location europe-west2 --project P';
    const key = `cloudscheduler.googleapis.com/projects/${PROJECT}/locations/${REGION}/jobs/${jobOf('syncMemberList')}`;
    await follow(`gcloud scheduler jobs pause ${place}`);
    expect(state().get(key)).toMatchObject({ state: 'PAUSED' });
    for (const verb of ['resume', 'run']) {
      const { code, said } = await rehearsal.give(`gcloud scheduler jobs ${verb} ${place}`);
      expect(code, said).toBe(0);
    }
    expect(state().get(key)).toMatchObject({ state: 'ENABLED', lastAttemptTime: expect.any(String) });
  });

  it('gcloud prints what the unit tests say that it prints (`npm run rehearse -- -u` writes it anew)', async () => {
    await expect(await recordGcloud(rehearsal)).toMatchFileSnapshot('../deploy/fixtures/gcloud-prints.json');
  });

  it('firebase fails as the unit tests say that it does', async () => {
    const key = `${FUNCTIONS}/projects/${PROJECT}/locations/${REGION}/functions/syncMemberList`;
    const deployed = state().get(key) as Json;
    state().delete(key);
    await expect(await recordFirebase(rehearsal)).toMatchFileSnapshot(
      '../deploy/fixtures/firebase-fails.json',
    );
    state().set(key, deployed);
  });

  it('every other command of the page is in its table of those that were not rehearsed', () => {
    const lines = page.map(({ line }) => line);
    expect(lines.filter((line) => !followed.has(line) && !isLeftOut(line))).toEqual([]);
    expect(notRehearsed.filter((one) => !lines.some((line) => one.test(line)))).toEqual([]);
    expect([...new Set(rehearsal.google.unknown)]).toEqual([]);
  });
});

describe.skipIf(!hasGcloud)('what goes wrong afterwards', () => {
  const job = `cloudscheduler.googleapis.com/projects/${PROJECT}/locations/${REGION}/jobs/${jobOf('syncMemberList')}`;
  const repository = `artifactregistry.googleapis.com/projects/${PROJECT}/locations/${REGION}/repositories/gcf-artifacts`;

  it('every function is answered by its revision before, when a deployment is rolled back', async () => {
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
    await follow('npm run rollback-deploy -- --project P');
    for (const { name } of await readDeployedFunctions()) {
      expect(state().get(`${RUN}/services/${serviceOf(name)}`), name).toMatchObject({
        spec: { traffic: [{ revisionName: `${serviceOf(name)}-00000-old`, percent: 100 }] },
      });
    }
  });

  it('a job that somebody deleted does not come back by itself, and without our policy firebase ends with 1', async () => {
    const { cleanupPolicies: _, ...bare } = state().get(repository) as Json;
    const kept = state().get(repository) as Json;
    state().set(repository, bare);
    state().delete(job);
    const { code, said } = await rehearsal.give(
      'firebase deploy --only functions --project P --non-interactive',
    );
    state().set(repository, kept);
    expect(said).toContain('No changes detected');
    expect(said).toMatch(/cleanup policy/);
    expect(code).toBe(1);
    expect(state().has(job)).toBe(false);
  });

  it('the doctor finds it, and it comes back by the command that is shown', async () => {
    const { said } = await rehearsal.give('npm run ops -- doctor --project P');
    const remedy = `deploy --only functions:syncMemberList --project ${PROJECT}`;
    expect(said).toContain(`npx ${FIREBASE_TOOLS} ${remedy}`);
    const { code } = await rehearsal.give(`firebase ${remedy} --non-interactive`);
    expect(code).toBe(0);
    expect(state().has(job)).toBe(true);
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
