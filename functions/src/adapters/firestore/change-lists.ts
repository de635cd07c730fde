import { type DocumentData, FieldPath, type Firestore, type Query } from 'firebase-admin/firestore';
import { linesOf } from '../../domain/kennitala-list.ts';
import { CHANGES_PER_DOCUMENT, type RunRecord } from '../../mirror/mirror.ts';
import type { PlannedChanges } from '../../mirror/run-store.ts';
import type { ListDocument, ListedLines } from '../../proof/chain.ts';

/** The fields of `sync_audit/{runId}/changes/{n}` that hold people. */
export type ListField = 'addedKennitalas' | 'removedKennitalas';
export const LIST_FIELDS = ['addedKennitalas', 'removedKennitalas'] as const satisfies ListField[];

/**
 * A document with so many people or fewer holds arrays, and an index finds everybody in them. A longer one holds each list as one
 * text, a kennitala a line, and says so in its field `form`: Firestore's client makes several objects for each entry of an array,
 * and Firestore an entry of the index. There are few of those, so who looks for a person in them reads them.
 */
const MOST_IN_ARRAYS = 500;
const LINES = 'lines';

/** Each is some 55 kB; Firestore takes 10 MiB, but the client holds a commit several times over. */
const DOCUMENTS_PER_COMMIT = 20;

/** One document that is to be written. */
export interface NewListDocument {
  readonly id: string;
  readonly people: ListedLines;
  readonly data: DocumentData;
}

/**
 * `sync_audit/{runId}/changes/{n}`: the added, then the removed, so many a document; in groups that fit a commit. They
 * are made as they are asked for, since a first list of a million would not fit twice in a function's memory.
 */
export function* documentsToCommit(
  { expireAt }: RunRecord,
  { added, removed }: Pick<PlannedChanges, 'added' | 'removed'>,
): Generator<readonly NewListDocument[]> {
  const total = Math.ceil((added.length + removed.length) / CHANGES_PER_DOCUMENT);
  let group: NewListDocument[] = [];
  for (let n = 0; n < total; n += 1) {
    const from = n * CHANGES_PER_DOCUMENT;
    const until = from + CHANGES_PER_DOCUMENT;
    const people = {
      added: linesOf(added, from, until),
      removed: linesOf(removed, Math.max(0, from - added.length), Math.max(0, until - added.length)),
    };
    group.push({ id: String(n), people, data: { ...toFields(people), expireAt } });
    if (group.length === DOCUMENTS_PER_COMMIT) {
      yield group;
      group = [];
    }
  }
  yield group;
}

const toFields = ({ added, removed }: ListedLines): DocumentData =>
  added.count + removed.count <= MOST_IN_ARRAYS
    ? { addedKennitalas: peopleIn(added.text), removedKennitalas: peopleIn(removed.text) }
    : { addedKennitalas: added.text, removedKennitalas: removed.text, form: LINES };

/** Either form. Whatever stands there, as text: what is no text was not written by us, and makes another digest. */
export const toListDocument = (data: Readonly<Record<string, unknown>>): ListDocument => ({
  added: peopleIn(data['addedKennitalas']),
  removed: peopleIn(data['removedKennitalas']),
  digest: textOf(data['digest']),
  shortened: textOf(data['shortened']),
});

export const peopleIn = (stored: unknown): string[] => {
  if (typeof stored === 'string') return stored === '' ? [] : stored.split('\n');
  return Array.isArray(stored) ? stored.map(String) : [];
};

/** The people that are left, in the form in which the list is stored. */
export const inFormOf = (stored: unknown, left: readonly string[]): unknown =>
  typeof stored === 'string' ? left.join('\n') : left;

/** The documents that no index finds a person in, in the order of their names. */
export const longLists = (db: Firestore): Query =>
  db.collectionGroup('changes').where('form', '==', LINES).orderBy(FieldPath.documentId());

/** Of long lists: some three megabytes. */
export const LONG_LISTS_PAGE = 50;

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
