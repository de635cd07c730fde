import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rulesFor } from '../../src/deploy/bucket-lifecycle.ts';
import { jobOf, readDeployedFunctions, serviceOf } from '../../src/deploy/deployed-functions.ts';
import { indexesFile } from '../../src/deploy/firestore-state.ts';
import { emailOf, readIamTable } from '../../src/deploy/iam-table.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { APIS } from '../../src/deploy/steps/preflight.ts';
import { described, listed } from './gcloud-prints.ts';
import type { Answer } from './stand-in-commands.ts';

export const PROJECT = 'demo-deploy';
/** Who builds images, as a new project has it. */
export const BUILDER = '123456789012-compute@developer.gserviceaccount.com';

/** Every line of the example, and what a project changes: the later line counts. */
export const ENV_FILE = `${readFileSync(join(ROOT, '.env.example'), 'utf8')}
DJANGO_BASE_URL=https://registry.example.is/felagar
SYNC_BUCKET=demo-deploy-lists
ADMIN_SERVICE_ACCOUNTS=operator@demo-deploy.iam.gserviceaccount.com
`;

export const RIGHT_BUCKET = {
  versioning: { enabled: true },
  lifecycle: { rule: rulesFor('kennitalas.txt') },
  iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
};

/** What `gcloud` answers about a project in which everything is as it should be. */
export const answersOfReadyProject = async (): Promise<Answer[]> => {
  const [functions, iam, indexes] = await Promise.all([
    readDeployedFunctions(),
    readIamTable(),
    readFile(join(ROOT, 'firestore.indexes.json'), 'utf8').then((text) =>
      indexesFile.parse(JSON.parse(text)),
    ),
  ]);
  const group = (name: string) => `projects/${PROJECT}/databases/(default)/collectionGroups/${name}`;
  return [
    { to: 'functions list', print: '[]' },
    { to: 'firebase --version', print: '15.34.2\n' },
    { to: 'auth print-access-token', print: 'an-access-token\n' },
    { to: 'artifacts repositories describe', print: JSON.stringify(described('images', {})) },
    { to: 'projects describe', print: '123456789012\n' },
    {
      to: 'services list --enabled',
      print: APIS.join('\n'),
    },
    {
      to: 'builds get-default-service-account',
      print: `${BUILDER}\n`,
    },
    {
      to: 'projects get-iam-policy',
      print: JSON.stringify(
        described('projectPolicy', {
          bindings: [{ role: 'roles/cloudbuild.builds.builder', members: [`serviceAccount:${BUILDER}`] }],
        }),
      ),
    },
    { to: 'firestore databases describe', print: JSON.stringify(described('database', {})) },
    {
      to: 'iam service-accounts list',
      print: iam.accounts.map(({ name }) => emailOf(name, PROJECT)).join('\n'),
    },
    { to: 'secrets versions list', print: '1\n' },
    { to: 'storage buckets describe', print: JSON.stringify(described('bucket', RIGHT_BUCKET)) },
    {
      to: 'indexes composite list',
      print: JSON.stringify(
        indexes.indexes.map((index, n) =>
          listed('indexes', {
            ...index,
            name: `${group(index.collectionGroup)}/indexes/${n}`,
            fields: [...index.fields, { fieldPath: '__name__', order: 'DESCENDING' }],
          }),
        ),
      ),
    },
    {
      to: 'fields ttls list',
      print: JSON.stringify(
        indexes.fieldOverrides
          .filter(({ ttl }) => ttl === true)
          .map(({ collectionGroup, fieldPath }) =>
            listed('ttls', { name: `${group(collectionGroup)}/fields/${fieldPath}` }),
          ),
      ),
    },
    {
      to: 'scheduler jobs list',
      print: JSON.stringify(
        functions.flatMap((deployed) =>
          deployed.kind === 'schedule'
            ? [
                listed('jobs', {
                  name: `projects/${PROJECT}/locations/europe-west2/jobs/${jobOf(deployed.name)}`,
                  schedule: deployed.schedule.expression,
                  timeZone: deployed.schedule.timeZone,
                }),
              ]
            : [],
        ),
      ),
    },
    {
      to: 'run services list',
      print: JSON.stringify(
        functions.map(({ name }) =>
          listed('services', {
            metadata: { name: serviceOf(name) },
            status: {
              traffic: [{ revisionName: `${serviceOf(name)}-00002-new`, percent: 100, latestRevision: true }],
            },
          }),
        ),
      ),
    },
    { to: 'print-identity-token', print: 'an-identity-token\n' },
  ];
};
