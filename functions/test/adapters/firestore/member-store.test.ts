import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { makeMemberStore } from '../../../src/adapters/firestore/member-store.ts';
import { toMemberWrite } from '../../../src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { decideChange } from '../../../src/domain/member/decide-change.ts';
import { withFields } from '../../../src/domain/member/fields.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import type { ChangeRequest, MemberStore } from '../../../src/portal/ports.ts';
import { NESTED } from '../../domain/member/support/wire-members.ts';
import { openFirestoreUnderTest } from '../../support/firestore-under-test.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';

const AT = new Date('2026-11-20T10:00:00.123Z');
const server = await openFirestoreUnderTest();
const { db, failNext } = server;
if (failNext === undefined) throw new Error('This file counts the calls to the local Firestore.');
afterAll(() => server.close());

const kennitalas = makeKennitalas(6) as Kennitala[];
const [someone] = kennitalas as [Kennitala];

/** Two processes, as far as the store can tell. */
let store: MemberStore;
let elsewhere: MemberStore;
beforeEach(async () => {
  await server.clear();
  store = makeMemberStore(async () => db);
  elsewhere = makeMemberStore(async () => db);
  for (const kennitala of kennitalas) await store.applyChange(requestOf(kennitala, 1));
});

const requestOf = (
  kennitala: Kennitala,
  version: number,
  more: Partial<ChangeRequest> = {},
): ChangeRequest => {
  const content = parseRegistryMember({ ...NESTED, ssn: kennitala, name: `Person ${version}` });
  const change = { kennitala, action: 'update', version, occurredAt: null, content } as const;
  return {
    kennitala,
    eventId: `msg_${kennitalas.indexOf(kennitala)}_${version}`,
    djangoId: content.djangoId,
    at: AT,
    decide: (stored, pending, former) =>
      decideChange(stored, change, { pending, former, origin: 'registry', now: AT }),
    toReceipt: ({ kind }) => ({
      result: kind === 'stale' ? 'stale' : 'applied',
      action: 'update',
      member: 'm_0123456789abcdef',
      changesRoster: false,
    }),
    ...more,
  };
};

/** Sees every call from now on and lets it pass. */
const watchCalls = () => {
  const calls: { readonly method: string; readonly request: Commit }[] = [];
  failNext({
    code: status.INTERNAL,
    matches: (request, method) => {
      calls.push({ method, request: request as Commit });
      return false;
    },
  });
  return calls;
};

interface Commit {
  readonly writes?: readonly unknown[];
  readonly transaction?: Uint8Array;
}

type Call = ReturnType<typeof watchCalls>[number];
const isOfTransaction = ({ method, request }: Call): boolean =>
  method === 'beginTransaction' || (request.transaction?.length ?? 0) > 0;

const versionOf = async (kennitala: Kennitala) => (await store.read(kennitala)).stored?.meta.source_version;

it('tells two writes of servers within one millisecond of their clocks from what a member wrote', async () => {
  const document = db.collection('members').doc(someone);
  const isServers = async (write: () => Promise<unknown>): Promise<boolean | undefined> => {
    const before = await document.get();
    await write();
    const event = {
      id: 'event',
      time: AT.toISOString(),
      kennitala: someone,
      before,
      after: await document.get(),
    };
    return toMemberWrite(event)?.isServers;
  };
  const rename: ChangeRequest['decide'] = (stored) => {
    if (stored === null || stored.meta.source_hash === null) throw new Error('There should be a member.');
    const member = withFields(stored.member, { 'profile.name': 'Another' });
    const meta = { ...stored.meta, source_hash: stored.meta.source_hash, origin: 'registry' as const };
    return { kind: 'write', member, meta, differences: [], keptEdits: [] };
  };
  expect(
    await isServers(() => elsewhere.applyChange(requestOf(someone, 1, { eventId: null, decide: rename }))),
  ).toBe(true);
  expect(await isServers(() => document.update({ 'profile.name': 'Their own' }))).toBe(false);
});

it('recognises the repetition of an event for a week', async () => {
  const [receipt] = (await db.collection('webhook_receipts').where('receivedAt', '==', AT).limit(1).get())
    .docs;
  expect(receipt?.get('expireAt').toDate()).toEqual(new Date('2026-11-27T10:00:00.123Z'));
});

describe('changes that wait at the same time', () => {
  it('are taken by one commit, which no transaction holds', async () => {
    const calls = watchCalls();
    const outcomes = await Promise.all(
      kennitalas.map((kennitala) => store.applyChange(requestOf(kennitala, 2))),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(kennitalas.map(() => 'decided'));
    expect(calls.map(({ method }) => method).sort()).toEqual(['batchGetDocuments', 'commit', 'runQuery']);
    const commit = calls.find(({ method }) => method === 'commit')?.request;
    expect([commit?.writes?.length, commit?.transaction?.length ?? 0]).toEqual([2 * kennitalas.length, 0]);
  });

  it('are no more in one commit than one query may ask about, and in two such commits at once', async () => {
    const calls = watchCalls();
    // New here, and of no row of the registry, or each would ask under a lock who had that row before.
    const many = makeKennitalas(65, kennitalas.length).map((kennitala) =>
      requestOf(kennitala, 1, { eventId: null, djangoId: null }),
    );
    const outcomes = await Promise.all(many.map((request) => store.applyChange(request)));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['decided']));
    const methods = calls.map(({ method }) => method);
    const commits = calls.filter(({ method }) => method === 'commit');
    expect(commits.map(({ request }) => request.writes?.length)).toEqual([30, 30, 5]);
    expect(methods.slice(0, methods.indexOf('commit')).sort()).toEqual([
      'batchGetDocuments',
      'batchGetDocuments',
      'runQuery',
      'runQuery',
    ]);
  });

  it('are parted when one of them fails, which then fails alone', async () => {
    const failing = requestOf(someone, 2, {
      decide: () => {
        throw new RangeError('It cannot be decided.');
      },
    });
    const requests = kennitalas.map((kennitala) =>
      kennitala === someone ? failing : requestOf(kennitala, 2),
    );
    const calls = watchCalls();
    const results = await Promise.allSettled(requests.map((request) => store.applyChange(request)));
    expect(results.map((one) => (one.status === 'rejected' ? one.reason.code : one.value.kind))).toEqual([
      'store_unavailable',
      ...kennitalas.slice(1).map(() => 'decided'),
    ]);
    expect(calls.some(isOfTransaction)).toBe(false);
    expect(await Promise.all(kennitalas.map(versionOf))).toEqual([1, 2, 2, 2, 2, 2]);
  });

  it('are written also beside one that was known before and one that needs a lock', async () => {
    const [known, locked, ...others] = kennitalas as [Kennitala, Kennitala, ...Kennitala[]];
    await db.doc(`members/${locked}`).update({ 'profile.email': 'mine@b.is' });
    const requests = [
      requestOf(known, 1),
      requestOf(locked, 2),
      ...others.map((kennitala) => requestOf(kennitala, 2)),
    ];
    const outcomes = await Promise.all(requests.map((request) => store.applyChange(request)));
    expect(outcomes.map(({ kind }) => kind)).toEqual([
      'duplicate',
      'decided',
      ...others.map(() => 'decided'),
    ]);
    expect(await Promise.all(kennitalas.map(versionOf))).toEqual([1, 2, 2, 2, 2, 2]);
  });

  it('are each decided again when another writer was quicker with one of them', async () => {
    // Both read before either commits: of the second commit a precondition does not hold.
    const both = await Promise.all(
      [store, elsewhere].flatMap((one, n) =>
        kennitalas.map((kennitala) => one.applyChange(requestOf(kennitala, 2 + n))),
      ),
    );
    expect(new Set(both.map(({ kind }) => kind))).toEqual(new Set(['decided']));
    expect(await Promise.all(kennitalas.map(versionOf))).toEqual(kennitalas.map(() => 3));
  });

  it('are decided once when two processes have the same event', async () => {
    const outcomes = await Promise.all(
      [store, elsewhere].flatMap((one) =>
        kennitalas.map((kennitala) => one.applyChange(requestOf(kennitala, 2))),
      ),
    );
    const kinds = outcomes.map(({ kind }) => kind).sort();
    expect(kinds).toEqual([...kennitalas.map(() => 'decided'), ...kennitalas.map(() => 'duplicate')]);
  });

  it('of one member all count, in two processes too', async () => {
    const next: Partial<ChangeRequest> = {
      eventId: null,
      decide: (stored, pending, former) =>
        requestOf(someone, (stored?.meta.source_version ?? 0) + 1).decide(stored, pending, former),
    };
    const all = [store, elsewhere].flatMap((one) =>
      Array.from({ length: 6 }, () => one.applyChange(requestOf(someone, 0, next))),
    );
    await Promise.all(all);
    expect(await versionOf(someone)).toBe(13);
  });
});

describe('a change is decided under a lock', () => {
  const isLocked = async (request: ChangeRequest) => {
    const calls = watchCalls();
    expect(await store.applyChange(request)).toMatchObject({ kind: 'decided' });
    return calls.some((call) => call.method === 'commit' && isOfTransaction(call));
  };

  it('when an edit of the member waits', async () => {
    await db.collection('sync_queue').add({
      kennitala: someone,
      sync_status: 'pending',
      edited_at: Timestamp.fromDate(AT),
      changes: { 'profile.email': { old_value: null, new_value: 'mine@b.is' } },
    });
    expect(await isLocked(requestOf(someone, 2))).toBe(true);
    expect((await store.read(someone)).stored?.member.profile.email).toBe('mine@b.is');
  });

  it('when the document shows an edit that may be on its way to the queue', async () => {
    await db.doc(`members/${someone}`).update({ 'profile.email': 'mine@b.is' });
    expect(await isLocked(requestOf(someone, 2))).toBe(true);
  });

  it('when the row of the registry is new to the document', async () => {
    expect(await isLocked(requestOf(someone, 2, { djangoId: 123_456 }))).toBe(true);
  });

  it('when it follows a hint, which stands in another document', async () => {
    await db.doc(`webhook_hints/${someone}`).set({ token: 'one' });
    expect(await isLocked(requestOf(someone, 2, { hint: { token: 'one', closes: true } }))).toBe(true);
    expect((await db.doc(`webhook_hints/${someone}`).get()).exists).toBe(false);
  });

  it('and not otherwise', async () => {
    expect(await isLocked(requestOf(someone, 2))).toBe(false);
  });
});
