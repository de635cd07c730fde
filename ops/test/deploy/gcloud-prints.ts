import { readFileSync } from 'node:fs';

type Fields = Readonly<Record<string, unknown>>;
type Listed =
  | 'indexes'
  | 'ttls'
  | 'fields'
  | 'services'
  | 'revisions'
  | 'jobs'
  | 'versions'
  | 'functions'
  | 'metrics'
  | 'policies'
  | 'channels';
type Described = 'database' | 'images' | 'bucket' | 'projectPolicy' | 'bucketPolicy' | 'secretPolicy';
type Missing = 'noBucket' | 'noSecret' | 'noRepository' | 'noDatabase';
type Denied =
  | 'deniedVersions'
  | 'deniedRevisions'
  | 'deniedFunctions'
  | 'deniedPolicy'
  | 'deniedMetric'
  | 'deniedTraffic'
  | 'deniedInvoker';
type Failed<Name extends string> = Readonly<Record<Name, { readonly code: number; readonly says: string }>>;

const read = (name: string) => JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8'));

/** What the real gcloud printed in the rehearsal, of a list its first item (`npm run rehearse -- -u`). */
const PRINTED: Readonly<Record<Listed, readonly Fields[]>> &
  Readonly<Record<Described, Fields>> &
  Failed<Missing | Denied> = read('gcloud-prints.json');
/** How the real firebase-tools failed there. */
const FIREBASE: Failed<'rulesFail' | 'buildFails'> = read('firebase-fails.json');
const FAILURES = { ...PRINTED, ...FIREBASE };

/** One as gcloud lists it, with fields of a test's own. */
export const listed = <Own extends Fields>(kind: Listed, own: Own): Fields & Own => ({
  ...PRINTED[kind][0],
  ...own,
});

/** What gcloud describes, with fields of a test's own. */
export const described = <Own extends Fields>(kind: Described, own: Own): Fields & Own => ({
  ...PRINTED[kind],
  ...own,
});

/** How a program fails where there is none, where Google refuses, or where what is deployed is wrong. */
export const failure = (
  kind: Missing | Denied | keyof typeof FIREBASE,
): { readonly status: number; readonly print: string } => ({
  status: FAILURES[kind].code,
  print: FAILURES[kind].says,
});
