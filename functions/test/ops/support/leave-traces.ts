import { expect } from 'vitest';
import { type Kennitala, tryKennitala } from '../../../src/domain/kennitala.ts';
import { parseMemberChange } from '../../../src/domain/member/member-change.ts';
import { applyVersionedEvent } from '../../../src/portal/apply-event.ts';
import { type ConflictRecord, decideConflict } from '../../../src/twoway/conflict.ts';
import { makeQueueItem, toEditTime } from '../../../src/twoway/queue.ts';
import type { OpsStack } from '../../support/api-stack.ts';

export interface Traces {
  readonly id: number;
  readonly kennitala: Kennitala;
  readonly reference: string;
}

/** The webhook of one event, with its version and its receipt. */
export const announce = (ops: OpsStack, id: number, action: 'create' | 'delete', version: number) => {
  const member = ops.registry.member(id);
  const data = action === 'delete' ? {} : { data: { ...member, version } };
  const json = { kennitala: member.ssn, action, version, occurred_at: new Date().toISOString(), ...data };
  return applyVersionedEvent(parseMemberChange(json), `event-${id}-${version}`, {
    members: ops.members,
    registry: ops.registryMembers,
    reference: ops.reference,
    now: ops.clock.now,
  });
};

export const runRoster = async (ops: OpsStack): Promise<void> => {
  expect((await ops.call('POST', '/runs', { mirror: 'roster' })).status).toBe(200);
};

/** The registry's own acknowledgement, as after a webhook that was answered. */
export const acknowledgeEvents = async (ops: OpsStack): Promise<void> => {
  const signal = AbortSignal.timeout(5_000);
  const waiting = await ops.registryChanges.outbox({ signal });
  if (waiting.length > 0)
    await ops.registryChanges.markSynced(
      waiting.map(({ id }) => id),
      { signal },
    );
};

/** A member with a trace in every place of Firestore and Cloud Storage. */
export const joinEverywhere = async (ops: OpsStack): Promise<Traces> => {
  const id = ops.registry.randomMember();
  const kennitala = tryKennitala(ops.registry.member(id).ssn);
  if (kennitala === null) throw new Error('The stand-in has members with readable numbers only.');
  await announce(ops, id, 'create', 1);
  await runRoster(ops);
  const at = ops.clock.now();
  const item = makeQueueItem(
    {
      id: `edit-of-${id}`,
      kennitala,
      djangoId: id,
      action: 'update',
      changes: { 'profile.email': { oldValue: 'old@example.is', newValue: 'new@example.is' } },
      editedAt: toEditTime(at),
      isContinuation: false,
    },
    at,
  );
  const conflict: ConflictRecord = {
    id: `conflict-of-${id}`,
    kennitala,
    detectedAt: at,
    paths: {
      'profile.email': {
        expected: 'old@example.is',
        portal: { value: 'new@example.is', editedAt: at },
        registry: { value: 'other@example.is', changedAt: null },
        ...decideConflict(at, null),
        resolution: null,
      },
    },
  };
  await ops.queue.transact(kennitala, {}, at, () => ({ items: [item], conflicts: [conflict], result: null }));
  await ops.db.doc(`webhook_hints/${kennitala}`).set({ token: 'hint', state: 'unconfirmed', announced: [] });
  return { id, kennitala, reference: await ops.reference(kennitala) };
};

/** Leaves everywhere, so that only what an erasure is for is left. */
export const leaveEverywhere = async (ops: OpsStack, { id }: Pick<Traces, 'id'>): Promise<void> => {
  ops.registry.deleteMember(id);
  await announce(ops, id, 'delete', 2);
  await acknowledgeEvents(ops);
  await runRoster(ops);
};

/** Everything that Firestore and Cloud Storage hold, as one text, but the record of what operators did. */
export const everythingHeld = async (ops: OpsStack): Promise<string> => {
  const collections = [
    'members',
    'sync_queue',
    'sync_conflicts',
    'sync_audit',
    'webhook_receipts',
    'webhook_hints',
    'sync_state',
  ];
  const found = await Promise.all([
    ...collections.map((name) => ops.db.collection(name).get()),
    ops.db.collectionGroup('changes').get(),
  ]);
  const [files] = await ops.storageClient.bucket('demo-ekklesia.appspot.com').getFiles({ versions: true });
  const texts = await Promise.all(files.map(async (file) => (await file.download())[0].toString()));
  return JSON.stringify([
    ...found
      .flatMap(({ docs }) => docs)
      // Where the record of who asked stands in its chain.
      .filter(({ ref }) => ref.path !== 'sync_state/operators')
      .map((one) => [one.ref.path, one.data()]),
    texts,
  ]);
};
