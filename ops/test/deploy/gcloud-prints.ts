import { readFileSync } from 'node:fs';

type Fields = Readonly<Record<string, unknown>>;
type Listed = 'indexes' | 'ttls' | 'fields' | 'services' | 'revisions' | 'jobs' | 'versions';
type Described = 'database' | 'images' | 'bucket';
type Missing = 'noBucket' | 'noSecret' | 'noRepository' | 'noDatabase';

/** What the real gcloud printed in the rehearsal, of a list its first item (`npm run rehearse -- -u`). */
const PRINTED: Readonly<Record<Listed, readonly Fields[]>> &
  Readonly<Record<Described, Fields>> &
  Readonly<Record<Missing, { readonly code: number; readonly says: string }>> = JSON.parse(
  readFileSync(new URL('fixtures/gcloud-prints.json', import.meta.url), 'utf8'),
);

/** One as gcloud lists it, with fields of a test's own. */
export const listed = (kind: Listed, own: Fields): Fields => ({ ...PRINTED[kind][0], ...own });

/** What gcloud describes, with fields of a test's own. */
export const described = (kind: Described, own: Fields = {}): string =>
  JSON.stringify({ ...PRINTED[kind], ...own });

/** How gcloud fails where there is none. */
export const absent = (kind: Missing): { readonly status: number; readonly print: string } => ({
  status: PRINTED[kind].code,
  print: PRINTED[kind].says,
});
