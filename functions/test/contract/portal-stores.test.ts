import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import pMap from 'p-map';
import { afterAll } from 'vitest';
import { makeHintStore } from '../../src/adapters/firestore/hint-store.ts';
import { toMemberDocument } from '../../src/adapters/firestore/member-document.ts';
import { makeMemberStore } from '../../src/adapters/firestore/member-store.ts';
import { makePortalIndex, makePortalWriter } from '../../src/adapters/firestore/portal-documents.ts';
import { makePortalDigests } from '../../src/adapters/firestore/proof-store.ts';
import { decideChange } from '../../src/domain/member/decide-change.ts';
import { BUCKETS } from '../../src/domain/member/digest.ts';
import { parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { NESTED } from '../domain/member/support/wire-members.ts';
import { openFirestoreUnderTest } from '../support/firestore-under-test.ts';
import { describeDigests, type HeldMember } from './digests-contract.ts';
import { describeHintStore } from './hint-store-contract.ts';
import { describeMemberStore, type QueuedEdit } from './member-store-contract.ts';
import { describeReconcileStores } from './reconcile-stores-contract.ts';

const server = await openFirestoreUnderTest();
const { db, failNext } = server;
afterAll(() => server.close());

const queueInFirestore = async ({
  kennitala,
  status: sync_status,
  edits,
  isMoved,
}: QueuedEdit): Promise<void> => {
  for (const { path, editedAt, value } of edits) {
    await db.collection('sync_queue').add({
      kennitala,
      sync_status,
      edited_at: Timestamp.fromDate(editedAt),
      changes: { [path]: { old_value: null, new_value: value } },
      ...(isMoved && { is_moved: true }),
    });
  }
};

describeMemberStore('Firestore', async () => {
  await server.clear();
  return {
    store: makeMemberStore(async () => db),
    queue: queueInFirestore,
    ...(failNext && {
      failNextCommit: (when: 'before' | 'after') => {
        failNext({ method: 'commit', code: status.PERMISSION_DENIED, when });
      },
    }),
  };
});

describeHintStore('Firestore', async () => {
  await server.clear();
  return makeHintStore(async () => db);
});

describeReconcileStores('Firestore', async () => {
  await server.clear();
  const client = async () => db;
  return {
    index: makePortalIndex(client),
    writer: makePortalWriter(client, { throttling: false }),
    queue: queueInFirestore,
  };
});

/** A document as the portal writes it. */
const documentOf = ({ kennitala, digest, isActive }: HeldMember) => {
  const now = new Date('2026-11-20T10:00:00Z');
  const wire = { ...NESTED, ssn: kennitala, ...(digest !== null && { digest }) };
  const change = {
    kennitala,
    action: 'update' as const,
    version: 9,
    occurredAt: null,
    content: parseRegistryMember(wire),
  };
  const decision = decideChange(null, change, { pending: [], origin: 'reconcile', now });
  if (decision.kind !== 'write') throw new Error('Nothing to write.');
  const { membership, ...document } = toMemberDocument(decision.member, decision.meta, now);
  return { ...document, membership: { ...membership, status: isActive ? 'active' : 'inactive' } };
};

describeDigests('Firestore', async () => {
  await server.clear();
  const digests = makePortalDigests(async () => db);
  return {
    withoutDigest: 'absent',
    hold: async (members) => {
      await server.clear();
      const batch = db.batch();
      for (const member of members)
        batch.set(db.collection('members').doc(member.kennitala), documentOf(member));
      await batch.commit();
    },
    sums: () =>
      pMap(
        Array.from({ length: BUCKETS }, (_, n) => n),
        (n) => digests.sums(n, n + 1),
        { concurrency: 16 },
      ),
    membersOf: async (bucket) =>
      new Map(
        (await digests.documents(bucket)).flatMap(({ kennitala, stored }) =>
          kennitala === null ? [] : [[kennitala, stored.meta.digest]],
        ),
      ),
  };
});
