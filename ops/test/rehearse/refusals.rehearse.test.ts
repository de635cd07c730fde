import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emailOf, readIamTable } from '../../src/deploy/iam-table.ts';
import { PROJECT } from './project-state.ts';
import { hasGcloud, type Rehearsal, startRehearsal } from './rehearsal.ts';

let rehearsal: Rehearsal;
let settings: string;
beforeAll(async () => {
  settings = await mkdtemp(join(tmpdir(), 'rehearsal-settings-'));
  rehearsal = await startRehearsal({ settings });
});
afterAll(async () => {
  await rehearsal.close();
  await rm(settings, { recursive: true, maxRetries: 5 });
});

const google = () => rehearsal.google;
const changes = () =>
  google().calls.filter(
    ({ method, what }) => method !== 'GET' && !/oauth2|token|:getIamPolicy|:test/i.test(what),
  );

describe.skipIf(!hasGcloud)('a deployment is refused before the first change', () => {
  it.each<[string, string, () => void | Promise<void>]>([
    ['no accounts yet', `npm run iam -- --project ${PROJECT} --apply`, () => {}],
    [
      'nobody who may build images, as in a project of a new organization',
      'compute@developer.gserviceaccount.com may not build functions: npm run iam',
      () => {},
    ],
    [
      'no Firebase project',
      'projects:addfirebase',
      async () => {
        for (const { name } of (await readIamTable()).accounts) {
          const email = emailOf(name, PROJECT);
          google().state.set(`accounts/${email}`, {
            email,
            name: `projects/${PROJECT}/serviceAccounts/${email}`,
          });
        }
        google().refuse(/adminSdkConfig/, 404, 'none');
      },
    ],
    [
      'no default bucket',
      'no default bucket',
      () => {
        google().forgive();
        google().state.set('adminSdkConfig', { projectId: PROJECT });
      },
    ],
    [
      'an API that is off, and answers 403',
      'gcloud services enable firestore.googleapis.com',
      () => {
        google().state.delete('services/firestore.googleapis.com');
        google().refuse(/firestore\.googleapis\.com\/projects/, 403, API_OFF);
      },
    ],
    [
      'a param that is missing',
      'does not name GUARD_REMOVED_MAX',
      () => rehearsal.setEnv((text) => text.replace(/^GUARD_REMOVED_MAX=.*$/m, '')),
    ],
  ])('%s', async (_what, word, change) => {
    await change();
    const { code, said } = await rehearsal.give(`npm run deploy -- --project P --settings ${settings}`);
    expect(code).toBe(1);
    expect(said).toContain('Stopped at "preflight"');
    expect(said).toContain(word);
    expect(changes()).toEqual([]);
  });

  it('a right that the deployer lacks is said as Google says it', async () => {
    await rehearsal.setEnv((text) => text);
    google().refuse(/setIamPolicy/, 403, 'Permission resourcemanager.projects.setIamPolicy denied');
    const { code, said } = await rehearsal.give(`npm run iam -- --project P --settings ${settings} --apply`);
    expect(code).toBe(1);
    expect(said).toContain('Permission resourcemanager.projects.setIamPolicy denied');
    expect(said).toContain('Give the same command again');
  });
});

const API_OFF =
  'Cloud Firestore API has not been used in project demo-deploy before or it is disabled. Enable it and retry.';
