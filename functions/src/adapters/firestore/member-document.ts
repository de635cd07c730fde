import {
  type DocumentData,
  type DocumentSnapshot,
  FieldValue,
  type Firestore,
  type QueryDocumentSnapshot,
  Timestamp,
} from 'firebase-admin/firestore';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { MemberMeta, StoredMember } from '../../domain/member/decide-change.ts';
import { bucketOf, type DigestNumbers } from '../../domain/member/digest.ts';
import { FIELD_PATHS, rowOf } from '../../domain/member/field-table.ts';
import {
  type FieldPath,
  type FieldValues,
  makeMember,
  type FieldValue as ValueOf,
} from '../../domain/member/fields.ts';
import {
  CONSENT_PATHS,
  EVENT_COMES_MS,
  type FormerDocument,
  type Heard,
  heardOfRegistration,
  type PendingEdit,
  unheardConsents,
  type Withdrawals,
} from '../../domain/member/kept-values.ts';
import { type Member, ORIGINS } from '../../domain/member/member.ts';
import { isWire } from '../../domain/member/wire.ts';
import { timeIn } from './store-call.ts';

const SCHEMA_VERSION = 1;

/** A member as `members/{kennitala}` holds it: the same fields, times as Timestamps. */
export const toMemberDocument = (
  member: Member,
  { digest, withdrawn = {}, heard, ...meta }: MemberMeta,
  at: Date,
): DocumentData => ({
  profile: { ...member.profile },
  membership: { ...member.membership, date_joined: timestampOf(member.membership.date_joined) },
  metadata: {
    ...meta,
    ...(digest !== undefined && { digest: { bucket: bucketOf(member.profile.kennitala), ...digest } }),
    ...(Object.keys(withdrawn).length > 0 && { withdrawn: byName(withdrawn, timestampOf) }),
    ...(heard !== undefined && {
      heard: {
        ...byName(heard.consents, (isOn) => isOn),
        written_over: byName(heard.writtenOver, (time) => timestampOf(time) ?? FieldValue.serverTimestamp()),
      },
    }),
    deleted_at: timestampOf(meta.deleted_at),
    synced_at: Timestamp.fromDate(at),
    // The store's own time, so that two writes of servers never have the same metadata, by which the trigger knows them.
    last_modified: FieldValue.serverTimestamp(),
    schema_version: SCHEMA_VERSION,
  },
});

/** Reads a document of any age and author. Metadata that cannot be read counts as not known. */
export const fromMemberDocument = (kennitala: Kennitala, data: DocumentData): StoredMember => {
  const metadata: Readonly<Record<string, unknown>> = isMap(data['metadata']) ? data['metadata'] : {};
  const withdrawn: Withdrawals = consentsIn(metadata['withdrawn'], timeIn);
  const heard = heardIn(metadata['heard']);
  const digest = digestIn(metadata['digest'], kennitala);
  return {
    member: parsePortalMember(kennitala, withDates(data)),
    meta: {
      django_id: numberOf(metadata['django_id']),
      source_version: numberOf(metadata['source_version']),
      source_hash: typeof metadata['source_hash'] === 'string' ? metadata['source_hash'] : null,
      deleted_at: timeIn(metadata['deleted_at']),
      origin: ORIGINS.find((origin) => origin === metadata['origin']) ?? null,
      ...(digest !== null && { digest }),
      ...(Object.keys(withdrawn).length > 0 && { withdrawn }),
      ...(heard !== null && { heard }),
    },
  };
};

export const memberRef = (db: Firestore, kennitala: Kennitala) => db.collection('members').doc(kennitala);

/** What was read; null where there is no document. */
export const storedIn = (kennitala: Kennitala, snapshot: DocumentSnapshot): StoredMember | null => {
  const data = snapshot.data();
  if (data === undefined) return null;
  const stored = fromMemberDocument(kennitala, data);
  return isRegistration(data, snapshot) ? asRegistration(stored, data) : stored;
};

/** With what the document answers about the consents. */
export const asRegistration = (stored: StoredMember, data: DocumentData): StoredMember => {
  const answers = Object.fromEntries(CONSENT_PATHS.map((path) => [path, tryField(data, path)]));
  return { ...stored, meta: { ...stored.meta, heard: heardOfRegistration(answers) } };
};

/** No server has written it. One that is older is no registration, but from before this project. */
const isRegistration = (data: DocumentData, { createTime, readTime }: DocumentSnapshot): boolean =>
  data['metadata'] === undefined &&
  createTime !== undefined &&
  readTime !== undefined &&
  readTime.toMillis() - createTime.toMillis() < EVENT_COMES_MS;

/** What is read of a document that was somebody's before their number was corrected. */
export const FORMER_FIELDS = ['metadata', ...CONSENT_PATHS];

/** @param queued Their edits that wait; what they have said since, whose event is on its way, stands in the document alone. */
export const toFormerDocument = (
  document: QueryDocumentSnapshot,
  queued: readonly PendingEdit[],
): FormerDocument => {
  const { member, meta } = fromMemberDocument(document.id as Kennitala, document.data());
  const editedAt = document.updateTime.toDate();
  const unheard = Object.entries(unheardConsents(member, meta.heard));
  return {
    withdrawn: meta.withdrawn ?? {},
    deletedAt: meta.deleted_at,
    pending: [...queued, ...unheard.map(([path, value]) => ({ path, value, editedAt }))],
  };
};

/** When this number's document among those was deleted; null where it is not there or lives. */
export const deletedAtOf = (
  kennitala: Kennitala,
  documents: readonly QueryDocumentSnapshot[],
): Date | null => {
  const own = documents.find(({ id }) => id === kennitala);
  return own === undefined ? null : fromMemberDocument(kennitala, own.data()).meta.deleted_at;
};

/** By the field's own name, `reachable`, as a dot would make a path of it. */
const byName = <T>(values: Readonly<Record<string, T>>, toField: (value: T) => unknown): DocumentData =>
  Object.fromEntries(
    Object.entries(values).map(([path, value]) => [path.slice(PROFILE.length), toField(value)]),
  );

/** A digest under another bucket than its member's counts as missing: no sum would find it. */
const digestIn = (value: unknown, kennitala: Kennitala): DigestNumbers | null => {
  if (!isMap(value) || !isWord(value['a']) || !isWord(value['b'])) return null;
  return value['bucket'] === bucketOf(kennitala) ? { a: value['a'], b: value['b'] } : null;
};

const isWord = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff_ffff;

const heardIn = (value: unknown): Heard | null => {
  if (!isMap(value)) return null;
  const consents = consentsIn(value, (isOn) => (typeof isOn === 'boolean' ? isOn : null));
  return { consents, writtenOver: consentsIn(value['written_over'], timeIn) };
};

const consentsIn = <T>(
  value: unknown,
  read: (field: unknown) => T | null,
): Partial<Record<(typeof CONSENT_PATHS)[number], T>> => {
  const fields = isMap(value) ? value : {};
  return Object.fromEntries(
    CONSENT_PATHS.flatMap((path) => {
      const found = read(fields[path.slice(PROFILE.length)]);
      return found === null ? [] : [[path, found]];
    }),
  );
};

const PROFILE = 'profile.';

const withDates = (data: DocumentData): DocumentData => {
  const membership = data['membership'];
  if (!isMap(membership)) return data;
  return { ...data, membership: { ...membership, date_joined: timeIn(membership['date_joined']) } };
};

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const timestampOf = (date: Date | null): Timestamp | null =>
  date === null ? null : Timestamp.fromDate(date);

/**
 * Reads a document of the portal, whoever wrote it and when: members' own clients, this project, or what came before
 * it. Times must be Dates already. Never throws: the registry is the source of truth, so what cannot be read counts
 * as empty and its next word repairs it; a status that cannot be read is inactive.
 *
 * @param kennitala The document's id, which decides who it is.
 */
export const parsePortalMember = (kennitala: Kennitala, document: unknown): Member => {
  const values: Partial<Record<FieldPath, unknown>> = {};
  for (const path of FIELD_PATHS) values[path] = readField(document, path);
  return makeMember(kennitala, values as FieldValues);
};

const readField = (document: unknown, path: FieldPath): unknown =>
  tryField(document, path) ?? rowOf(path).empty;

const tryField = <P extends FieldPath>(document: unknown, path: P): ValueOf<P> | undefined => {
  let here = document;
  for (const key of path.split('.')) here = isWire(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  return rowOf(path).fromPortal(here);
};
