import { setTimeout as sleep } from 'node:timers/promises';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startFirestore } from '../../../../local/src/firestore/server.ts';
import { makeFirestoreErasure } from '../../../src/adapters/firestore/erase-documents.ts';
import { makeQueueStore } from '../../../src/adapters/firestore/queue-store.ts';
import { makeRunStore } from '../../../src/adapters/firestore/run-store.ts';
import { makeStoreCalls, whileAwaited } from '../../../src/adapters/firestore/store-call.ts';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import { MIRRORS, type MirrorName } from '../../../src/mirror/mirror.ts';
import { openRecord } from '../../../src/mirror/run-record.ts';
import { chain } from '../../support/chain.ts';

const MEMBER = '0101302989' as Kennitala;
const LIMIT_MS = 200;
/** For a call that reads before it commits. */
const COMMIT_LIMIT_MS = 1_000;
/** The client waits for half a second to a second and a half before its second attempt. */
const NEXT_ATTEMPT_MS = 2_500;
/** For a try that was under way when its call failed. */
const LAST_TRY_MS = 500;

const start = async () => {
  const firestore = await startFirestore({ projectId: 'demo-ekklesia' });
  const app = initializeApp({ projectId: 'demo-ekklesia' }, `store-call-${firestore.port}`);
  const db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  return { firestore, app, db };
};
let stack: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  stack = await start();
  // Connects: the first call takes longer than these have.
  await stack.db.doc('members/none').get();
});
afterAll(async () => {
  await deleteApp(stack.app);
  await stack.firestore.close();
});

/** What the client is told where others hold the documents: it tries again, ten times over minutes. */
const contended = () => Object.assign(new Error('contention'), { code: 10 });

test('a transaction of a call whose time is over ends with its next attempt', async () => {
  let running: Promise<unknown> | undefined;
  const call = makeStoreCalls(async () => stack.db, LIMIT_MS)('take it', (db, isOver) => {
    running = db.runTransaction(
      whileAwaited(isOver, async () => {
        throw contended();
      }),
      { maxAttempts: 10 },
    );
    return running;
  });
  await expect(call).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(running).rejects.toThrow('Nobody waits for this call any more.');
});

/**
 * Refuses whatever would be written of these documents: to a transaction as if others held them, to a batch as if others had
 * been first. Counts the tries.
 */
const refuse = (documents: readonly string[]): Map<string, number> => {
  const tries = new Map<string, number>();
  for (const [code, isTransaction] of [
    [10, true],
    [9, false],
  ] as const) {
    stack.firestore.failNext({
      method: 'commit',
      code,
      times: Number.POSITIVE_INFINITY,
      matches: (request) => {
        const { transaction, writes = [] } = request as Commit;
        const name = writes.map(({ update, delete: gone }) => update?.name ?? gone ?? '');
        const met = documents.find((document) => name.some((one) => one.endsWith(`/documents/${document}`)));
        if (met === undefined || (transaction?.length ?? 0) > 0 !== isTransaction) return false;
        tries.set(met, (tries.get(met) ?? 0) + 1);
        return true;
      },
    });
  }
  return tries;
};

interface Commit {
  readonly transaction?: Uint8Array | null;
  readonly writes?: readonly {
    readonly update?: { readonly name: string } | null;
    readonly delete?: string;
  }[];
}

const opened = (mirror: MirrorName) =>
  openRecord({
    runId: `run-of-${mirror}`,
    mirror,
    trigger: 'http',
    startedAt: new Date(),
    approve: null,
    requestedBy: null,
  });

test('no store decides anything any more after its call has failed', async () => {
  const { db } = stack;
  const client = async () => db;
  const queue = makeQueueStore(client, { callLimitMs: LIMIT_MS });
  let decided = 0;
  const decide = () => {
    decided += 1;
    throw contended();
  };

  const patient = makeRunStore(client, chain.current);
  const runs = makeRunStore(client, chain.current, { callLimitMs: COMMIT_LIMIT_MS });
  const [planning, keeping, closing] = await Promise.all(
    MIRRORS.map(async (mirror) => {
      const leaseExpiresAt = new Date(Date.now() + 60_000);
      const begun = await patient.begin({ record: opened(mirror), leaseExpiresAt, occurrence: null });
      if (begun.kind !== 'begun') throw new Error(`The ${mirror} has no lease.`);
      return { mirror, lease: begun.lease };
    }),
  );
  if (planning === undefined || keeping === undefined || closing === undefined) throw new Error('No run.');

  const person = { kennitala: MEMBER, reference: 'm_0000000000000000' };
  const list = 'sync_audit/earlier/changes/0';
  await db.doc(list).set({ addedKennitalas: [MEMBER], removedKennitalas: [] });
  const erasures = makeFirestoreErasure(client, chain, COMMIT_LIMIT_MS);
  const erase = (place: string) =>
    erasures
      .find(({ places }) => places.some((one) => one === place))
      ?.erase(person, new AbortController().signal);

  const refused = refuse([
    ...[planning, keeping, closing].map(({ mirror }) => `sync_state/${mirror}`),
    'sync_state/aside',
    `members/${MEMBER}`,
    list,
  ]);
  const nothingLeft = { added: 0, removed: 0, updated: 0, blanked: {} };
  const calls = [
    queue.transact(MEMBER, {}, new Date(), decide),
    queue.transactAll([MEMBER], new Date(), decide),
    runs.recordPlan(planning.lease, opened(planning.mirror), { added: [], removed: [] }),
    runs.keepCursor(keeping.lease, null, nothingLeft),
    runs.finish({ lease: closing.lease, record: opened(closing.mirror), occurrenceDone: null }),
    runs.append({ ...opened('roster'), runId: 'aside' }),
    erase('members'),
    erase('sync_audit/*/changes'),
  ];
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.map((it) => (it.status === 'rejected' ? it.reason.code : 'done'))).toEqual([
    ...['store_unavailable', 'store_unavailable'],
    ...['audit_unavailable', 'audit_unavailable', 'audit_unavailable', 'audit_unavailable'],
    ...['store_unavailable', 'store_unavailable'],
  ]);

  await vi.waitFor(() => expect([...refused.keys()]).toHaveLength(6), 30_000);
  await sleep(LAST_TRY_MS);
  const before = { decided, ...Object.fromEntries(refused) };
  await sleep(NEXT_ATTEMPT_MS);
  expect({ decided, ...Object.fromEntries(refused) }).toEqual(before);
});
