import { z } from 'zod';

/** `firestore.indexes.json`, what is deployed. */
export const indexesFile = z.object({
  indexes: z.array(
    z.object({
      collectionGroup: z.string(),
      queryScope: z.string(),
      fields: z.array(
        z.object({ fieldPath: z.string(), order: z.string().optional(), arrayConfig: z.string().optional() }),
      ),
    }),
  ),
  fieldOverrides: z.array(
    z.object({ collectionGroup: z.string(), fieldPath: z.string(), ttl: z.boolean().optional() }),
  ),
});
export type IndexesFile = z.output<typeof indexesFile>;

/** `gcloud firestore indexes composite list`. */
export const compositeIndexes = z.array(
  z.object({
    name: z.string(),
    queryScope: z.string(),
    state: z.string(),
    fields: z.array(
      z.object({ fieldPath: z.string(), order: z.string().optional(), arrayConfig: z.string().optional() }),
    ),
  }),
);
/** `gcloud firestore fields ttls list`. */
export const ttlFields = z.array(z.object({ name: z.string(), ttlConfig: z.object({ state: z.string() }) }));

export interface FirestoreState {
  /** Not there, or in a state from which they do not recover by themselves. */
  readonly faults: readonly string[];
  /** Still being built. Functions that query by an index fail until it is ready. */
  readonly building: readonly string[];
}

/** Compares what the file asks for with what the database has. Pure. */
export const compareFirestore = (
  wanted: IndexesFile,
  indexes: z.output<typeof compositeIndexes>,
  ttls: z.output<typeof ttlFields>,
): FirestoreState => {
  const stateOfIndex = new Map(
    indexes.map((index) => [
      describeIndex({ ...index, collectionGroup: groupIn(index.name) }),
      index.state === 'READY' ? 'ready' : index.state === 'CREATING' ? 'building' : index.state,
    ]),
  );
  const stateOfTtl = new Map(
    ttls.map(({ name, ttlConfig: { state } }) => [
      `${groupIn(name)}.${name.split('/').at(-1)}`,
      // A policy that is being created deletes nothing yet, but nothing waits for it either.
      state === 'ACTIVE' || state === 'CREATING' ? 'ready' : state,
    ]),
  );
  const states = [
    ...wanted.indexes.map((index) => {
      const name = describeIndex(index);
      return { what: `index ${name}`, state: stateOfIndex.get(name) ?? 'missing' };
    }),
    ...wanted.fieldOverrides
      .filter(({ ttl }) => ttl === true)
      .map(({ collectionGroup, fieldPath }) => {
        const name = `${collectionGroup}.${fieldPath}`;
        return { what: `TTL ${name}`, state: stateOfTtl.get(name) ?? 'missing' };
      }),
  ];
  return {
    faults: states
      .filter(({ state }) => state !== 'ready' && state !== 'building')
      .map(({ what, state }) => `${what}: ${state}`),
    building: states.filter(({ state }) => state === 'building').map(({ what }) => what),
  };
};

/** The service adds `__name__` to each index by itself. */
const describeIndex = ({ collectionGroup, queryScope, fields }: IndexesFile['indexes'][number]): string =>
  `${collectionGroup} (${queryScope}): ${fields
    .filter(({ fieldPath }) => fieldPath !== '__name__')
    .map(({ fieldPath, order, arrayConfig }) => `${fieldPath} ${order ?? arrayConfig}`)
    .join(', ')}`;

const groupIn = (resource: string): string => /\/collectionGroups\/([^/]+)\//.exec(resource)?.[1] ?? '';
