import type { DocumentData } from 'firebase-admin/firestore';
import { CHANGES_PER_DOCUMENT, type RunRecord } from '../../mirror/mirror.ts';
import type { PlannedChanges } from '../../mirror/run-store.ts';

/** About 0.3 MB a commit: Firestore takes 10 MiB, but the client needs some thirty times a commit's size in memory. */
const DOCUMENTS_PER_COMMIT = 4;

/**
 * `sync_audit/{runId}/changes/{n}`: the added, then the removed, so many a document; in groups that fit a commit. They
 * are made as they are asked for, since a first list of a million would not fit twice in a function's memory.
 */
export function* documentsToCommit(
  record: RunRecord,
  { added, removed }: Pick<PlannedChanges, 'added' | 'removed'>,
): Generator<readonly (readonly [id: string, data: DocumentData])[]> {
  const total = Math.ceil((added.length + removed.length) / CHANGES_PER_DOCUMENT);
  let group: [string, DocumentData][] = [];
  for (let n = 0; n < total; n += 1) {
    const from = n * CHANGES_PER_DOCUMENT;
    const until = from + CHANGES_PER_DOCUMENT;
    group.push([
      String(n),
      {
        addedKennitalas: added.slice(from, until),
        removedKennitalas: removed.slice(Math.max(0, from - added.length), Math.max(0, until - added.length)),
        expireAt: record.expireAt,
      },
    ]);
    if (group.length === DOCUMENTS_PER_COMMIT) {
      yield group;
      group = [];
    }
  }
  yield group;
}
