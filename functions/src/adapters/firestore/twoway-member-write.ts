import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DocumentSnapshot } from 'firebase-admin/firestore';
import { isKennitala, type Kennitala } from '../../domain/kennitala.ts';
import type { StoredMember } from '../../domain/member/decide-change.ts';
import { toEditTime } from '../../twoway/edit-time.ts';
import type { MemberWrite } from '../../twoway/track-edit.ts';
import { fromMemberDocument } from './member-document.ts';
import { toEditTimeOf } from './twoway-item-document.ts';

/** The parts of an event of `onDocumentWritten` that are used. */
export interface MemberEvent {
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly kennitala: string;
  readonly before: DocumentSnapshot;
  readonly after: DocumentSnapshot;
}

/** Null for a document whose id is no kennitala: no server of ours, and no client, writes one. */
export const toMemberWrite = ({ id, time, kennitala, before, after }: MemberEvent): MemberWrite | null => {
  if (!isKennitala(kennitala)) return null;
  const { updateTime } = after;
  return {
    eventId: toDocumentId(id),
    kennitala,
    at: updateTime === undefined ? toEditTime(new Date(time)) : toEditTimeOf(updateTime),
    before: storedIn(kennitala, before),
    after: storedIn(kennitala, after),
    isServers: !isDeepStrictEqual(before.data()?.['metadata'], after.data()?.['metadata']),
  };
};

const storedIn = (kennitala: Kennitala, snapshot: DocumentSnapshot): StoredMember | null => {
  const data = snapshot.data();
  return data === undefined ? null : fromMemberDocument(kennitala, data);
};

/** An event's id is any text; a document's, and a change's in the registry, is not. */
const toDocumentId = (eventId: string): string =>
  /^[A-Za-z0-9-]{1,64}$/.test(eventId) ? eventId : createHash('sha256').update(eventId).digest('hex');
