import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { rulesFor } from '../../src/deploy/bucket-lifecycle.ts';
import { jobOf, readDeployedFunctions } from '../../src/deploy/deployed-functions.ts';
import { indexesFile } from '../../src/deploy/firestore-state.ts';
import { emailOf, readIamTable, withSettings } from '../../src/deploy/iam-table.ts';
import { described, listed } from '../deploy/gcloud-prints.ts';

export const PROJECT = 'demo-operators';
export const BUCKET = 'demo-operators-lists';

const overrides = z.object({
  fieldOverrides: z.array(
    z.object({
      collectionGroup: z.string(),
      fieldPath: z.string(),
      indexes: z.array(z.record(z.string(), z.string())),
    }),
  ),
});

/** What gcloud says about a project in which everything is as this source tree wants it. `url`: of a test server. */
export const makeWellProject = async (url: string, settings: Readonly<Record<string, string>> = {}) => {
  const indexesText = JSON.parse(
    await readFile(new URL('../../../firestore.indexes.json', import.meta.url), 'utf8'),
  );
  const wanted = indexesFile.parse(indexesText);
  const group = (name: string) => `projects/${PROJECT}/databases/(default)/collectionGroups/${name}`;
  const deployed = await readDeployedFunctions();
  const environment = {
    DJANGO_BASE_URL: `${url}/felagar`,
    SYNC_BUCKET: BUCKET,
    FIREBASE_CONFIG: '{}',
    ...settings,
  };
  const iam = withSettings(await readIamTable(), environment);
  const member = (account: string) => `serviceAccount:${emailOf(account, PROJECT)}`;
  const policyOf = (kind: 'project' | 'bucket' | 'secret', secret?: string) =>
    described(`${kind}Policy`, {
      bindings: iam.grants
        .filter(
          ({ on }) => on.kind === kind && (secret === undefined || ('name' in on && on.name === secret)),
        )
        .map(({ role, account }) => ({ role, members: [member(account)] })),
    });
  const secretPolicies = Object.fromEntries(
    [
      'django-api-token',
      'django-webhook-secret',
      'member-reference-key',
      'chain-signing-key',
      'admin-api-key',
    ].map((name) => [`secrets get-iam-policy ${name}`, policyOf('secret', name)]),
  );
  return {
    'functions list': deployed.map(({ name }) =>
      listed('functions', {
        name: `projects/${PROJECT}/locations/europe-west2/functions/${name}`,
        url: `${url}/${name}`,
        serviceConfig: {
          serviceAccountEmail: emailOf(
            iam.accounts.find(({ functions }) => functions.includes(name))?.name ?? '',
            PROJECT,
          ),
          environmentVariables: environment,
        },
      }),
    ),
    'secrets versions list': [listed('versions', { createTime: new Date().toISOString() })],
    'secrets versions access latest': 'token-of-the-test',
    'storage buckets describe': described('bucket', {
      versioning: { enabled: true },
      lifecycle: { rule: rulesFor('kennitalas.txt') },
      iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'enforced' },
    }),
    'firestore indexes composite list': wanted.indexes.map((index, n) =>
      listed('indexes', {
        name: `${group(index.collectionGroup)}/indexes/${n}`,
        queryScope: index.queryScope,
        fields: [...index.fields, { fieldPath: '__name__', order: 'DESCENDING' }],
      }),
    ),
    'firestore fields ttls list': wanted.fieldOverrides
      .filter(({ ttl }) => ttl === true)
      .map(({ collectionGroup, fieldPath }) =>
        listed('ttls', { name: `${group(collectionGroup)}/fields/${fieldPath}` }),
      ),
    'firestore indexes fields list': overrides.parse(indexesText).fieldOverrides.map((field) =>
      listed('fields', {
        name: `${group(field.collectionGroup)}/fields/${field.fieldPath}`,
        indexConfig: {
          indexes: field.indexes.map(({ queryScope, ...kind }) => ({
            queryScope,
            state: 'READY',
            fields: [kind],
          })),
        },
      }),
    ),
    'scheduler jobs list': deployed.flatMap((one) =>
      one.kind === 'schedule'
        ? [
            listed('jobs', {
              name: `projects/${PROJECT}/locations/europe-west2/jobs/${jobOf(one.name)}`,
              schedule: one.schedule.expression,
              timeZone: one.schedule.timeZone,
            }),
          ]
        : [],
    ),
    'projects get-iam-policy': policyOf('project'),
    'storage buckets get-iam-policy': policyOf('bucket'),
    ...secretPolicies,
    'auth print-access-token': 'access-token-of-the-test',
    'auth print-identity-token': 'identity-token-of-the-test',
  };
};
