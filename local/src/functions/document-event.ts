import { toCloudEvent } from '../firestore/cloud-event.ts';
import { changeKind, type DocumentChange } from '../firestore/document-change.ts';
import type { DocumentEvent } from './connect-triggers.ts';

/** The local Firestore's account of a write as the event that `connectTriggers` delivers. */
export function toDocumentEvent(change: DocumentChange, location: string): DocumentEvent {
  const [, project = '', , database = ''] = change.database.split('/');
  return {
    project,
    database,
    document: change.path,
    kind: changeKind(change),
    ...toCloudEvent(change, { location }),
  };
}
