import { status } from '@grpc/grpc-js';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { type Firestore, initializeFirestore, Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LocalFirestore, startFirestore } from '../../../../local/src/firestore/server.ts';
import { toMemberDocument } from '../../../src/adapters/firestore/member-document.ts';
import { makePortalIndex } from '../../../src/adapters/firestore/portal-documents.ts';
import { fromDocumentState, toDocumentState } from '../../../src/adapters/firestore/store-call.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { applyPatch } from '../../../src/domain/member/patch.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

const PROJECT = 'demo-ekklesia';
const PEOPLE = makeKennitalas(70);
const AT = new Date('2026-11-20T04:00:00Z');

let firestore: LocalFirestore;
let app: ReturnType<typeof initializeApp>;
let db: Firestore;
beforeAll(async () => {
  firestore = await startFirestore({ projectId: PROJECT });
  app = initializeApp({ projectId: PROJECT }, 'portal-index');
  db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
});
afterAll(async () => {
  await deleteApp(app);
  await firestore.close();
});
beforeEach(async () => {
  await firestore.clear();
});

const index = () => makePortalIndex(async () => db, { callLimitMs: 30_000 });
const signal = new AbortController().signal;

const save = async (kennitala: Kennitala, version = 1) => {
  const member = applyPatch(null, { kennitala, content: {} });
  const meta = {
    django_id: 5,
    source_version: version,
    source_hash: 'h',
    origin: 'registry' as const,
    deleted_at: null,
  };
  return db.doc(`members/${kennitala}`).set(toMemberDocument(member, meta, AT));
};

const readAll = async (given = index(), ended = signal) => {
  const documents = [];
  for await (const document of given.documents({ signal: ended })) documents.push(document);
  return documents;
};

describe('the documents of the portal', () => {
  it('come in the order of their names, each with its content and state', async () => {
    for (const kennitala of PEOPLE.toReversed()) await save(kennitala);
    const documents = await readAll();
    expect(documents.map(({ kennitala }) => kennitala)).toEqual(PEOPLE);
    const { updateTime } = await db.doc(`members/${PEOPLE[3]}`).get();
    expect(documents[3]).toMatchObject({
      stored: { meta: { django_id: 5, source_version: 1 }, member: { profile: { kennitala: PEOPLE[3] } } },
      state: toDocumentState(updateTime),
    });
  });

  it('of other names have no kennitala, and documents of any shape are read', async () => {
    await db.doc('members/010190-0929').set({ profile: 'x' });
    await db.doc('members/zzz').set({});
    expect((await readAll()).map(({ kennitala }) => kennitala)).toEqual([null, null]);
  });

  it('are none in an empty portal', async () => {
    expect(await readAll()).toEqual([]);
  });

  it('are an error where Firestore refuses or does not answer, never fewer', async () => {
    for (const kennitala of PEOPLE.slice(0, 5)) await save(kennitala);
    firestore.failNext({ method: 'runQuery', code: status.PERMISSION_DENIED });
    await expect(readAll()).rejects.toMatchObject({ code: 'store_unavailable', details: { grpcCode: 7 } });
    firestore.setDelay(5_000);
    const impatient = makePortalIndex(async () => db, { callLimitMs: 50 });
    await expect(readAll(impatient)).rejects.toMatchObject({ code: 'store_unavailable' });
    firestore.setDelay(0);
  });

  it('are read on when the connection breaks', async () => {
    for (const kennitala of PEOPLE.slice(0, 5)) await save(kennitala);
    firestore.failNext({ method: 'runQuery', code: status.UNAVAILABLE });
    expect(await readAll()).toHaveLength(5);
  });

  it('are no longer read once the time is up', async () => {
    await save(PEOPLE[0] as Kennitala);
    await expect(readAll(index(), AbortSignal.abort())).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });
});

describe('reading some members', () => {
  it('answers each of them, there or not, with the edits that wait', async () => {
    for (const kennitala of PEOPLE.slice(1)) await save(kennitala);
    const queued = async (kennitala: string | undefined, sync_status: string, changes: unknown) =>
      db.collection('sync_queue').add({ kennitala, sync_status, changes, edited_at: Timestamp.fromDate(AT) });
    const email = { 'profile.email': { old_value: 'a', new_value: 'b' } };
    await queued(PEOPLE[65], 'pending', email);
    await queued(PEOPLE[65], 'pending', { 'profile.phone': { old_value: '', new_value: '5551234' } });
    await queued(PEOPLE[2], 'synced', email);
    await queued(PEOPLE[3], 'pending', 'unreadable');
    const found = await index().read(PEOPLE);
    expect([...found.keys()].sort()).toEqual(PEOPLE);
    expect(found.get(PEOPLE[0] as Kennitala)).toEqual({
      stored: null,
      state: null,
      writtenAt: null,
      pending: [],
    });
    const { updateTime } = await db.doc(`members/${PEOPLE[65]}`).get();
    const edited = found.get(PEOPLE[65] as Kennitala);
    expect(edited).toMatchObject({ state: toDocumentState(updateTime), writtenAt: updateTime?.toDate() });
    expect(edited?.pending.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'profile.email', editedAt: AT, from: 'a', value: 'b' },
      { path: 'profile.phone', editedAt: AT, from: '', value: '5551234' },
    ]);
    for (const n of [2, 3]) expect(found.get(PEOPLE[n] as Kennitala)?.pending).toEqual([]);
  });

  it('fails where a part cannot be read', async () => {
    await save(PEOPLE[0] as Kennitala);
    firestore.failNext({ method: 'runQuery', code: status.PERMISSION_DENIED });
    await expect(index().read(PEOPLE)).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

describe('a document’s state', () => {
  it('is the time of its last update, to the nanosecond', () => {
    const time = new Timestamp(1_763_607_600, 123_456_789);
    const state = toDocumentState(time);
    expect(state !== null && fromDocumentState(state).isEqual(time)).toBe(true);
    expect(toDocumentState(undefined)).toBeNull();
  });
});
