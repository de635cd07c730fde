import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { FIREBASE_TOOLS } from '../../deploy/deploy-with-firebase.ts';
import { compareFirestore, compositeIndexes, indexesFile, ttlFields } from '../../deploy/firestore-state.ts';
import { gcloudJson } from '../gcloud.ts';
import { bad, type Check, faultsOr, type ProjectContext, unknown } from './check.ts';

const INDEXES = new URL('../../../../firestore.indexes.json', import.meta.url);

const kind = { order: z.string().optional(), arrayConfig: z.string().optional() };

/** What the file asks for about single fields: indexes that Firestore does not make by itself. */
const overrides = z.object({
  fieldOverrides: z.array(
    z.object({
      collectionGroup: z.string(),
      fieldPath: z.string(),
      indexes: z.array(z.object({ queryScope: z.string(), ...kind })),
    }),
  ),
});

/** `gcloud firestore indexes fields list`. */
const fieldIndexes = z.array(
  z.object({
    name: z.string(),
    indexConfig: z
      .object({
        indexes: z
          .array(z.object({ queryScope: z.string(), state: z.string(), fields: z.array(z.object(kind)) }))
          .default([]),
      })
      .optional(),
  }),
);

/** Every index and every TTL policy of `firestore.indexes.json` is there and works. */
export const checkFirestore: Check<ProjectContext> = async ({ gcloud, deployment: { project } }) => {
  const file: unknown = JSON.parse(await readFile(INDEXES, 'utf8'));
  const place = ['--database', '(default)', '--project', project];
  const [composites, ttls, fields] = await Promise.all([
    gcloudJson(gcloud, ['firestore', 'indexes', 'composite', 'list', ...place], compositeIndexes),
    gcloudJson(gcloud, ['firestore', 'fields', 'ttls', 'list', ...place], ttlFields),
    gcloudJson(gcloud, ['firestore', 'indexes', 'fields', 'list', ...place], fieldIndexes),
  ]);
  const { faults, building } = compareFirestore(indexesFile.parse(file), composites, ttls);
  const single = compareFields(overrides.parse(file), fields);
  const deploy = `npx ${FIREBASE_TOOLS} deploy --only firestore:indexes --project ${project}`;
  return faultsOr(
    [
      ...[...faults, ...single].map((fault) => bad(fault, deploy)),
      ...building.map((what) => unknown(`${what}: still being built`, 'wait, and look again')),
    ],
    'all indexes and TTL policies are there',
  );
};

const compareFields = (
  { fieldOverrides }: z.output<typeof overrides>,
  fields: z.output<typeof fieldIndexes>,
): string[] => {
  const states = new Map(
    fields.flatMap(({ name, indexConfig }) =>
      (indexConfig?.indexes ?? []).map(({ queryScope, state, fields: [of] }): [string, string] => [
        `${name.split('/collectionGroups/')[1]} ${queryScope} ${of?.order ?? of?.arrayConfig}`,
        state,
      ]),
    ),
  );
  return fieldOverrides.flatMap(({ collectionGroup, fieldPath, indexes }) =>
    indexes.flatMap(({ queryScope, order, arrayConfig }) => {
      const key = `${collectionGroup}/fields/${fieldPath} ${queryScope} ${order ?? arrayConfig}`;
      const state = states.get(key) ?? 'missing';
      return state === 'READY' ? [] : [`index ${collectionGroup}.${fieldPath} (${queryScope}): ${state}`];
    }),
  );
};
