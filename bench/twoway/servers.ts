import { deleteApp, initializeApp } from 'firebase-admin/app';
import { initializeFirestore } from 'firebase-admin/firestore';
import { makeMemberReader } from '../../functions/src/adapters/django/read-members.ts';
import { makeRegistryHttp } from '../../functions/src/adapters/django/registry-http.ts';
import { makeMemberStore } from '../../functions/src/adapters/firestore/member-store.ts';
import { toItemDocument } from '../../functions/src/adapters/firestore/twoway-documents.ts';
import type { Kennitala } from '../../functions/src/domain/kennitala.ts';
import { applyReading } from '../../functions/src/portal/apply-event.ts';
import { makeEditTime, makeQueueItem } from '../../functions/src/twoway/queue.ts';
import { startFirestore } from '../../local/src/firestore/server.ts';
import { startRegistry } from '../../local/src/registry/start-registry.ts';

const PROJECT = 'demo-ekklesia';
const TOKEN = 'token-of-the-benchmark';
export const EDITS_PER_MEMBER = 2;

/** Firestore and the registry in this process, with the portal loaded; each answer takes so much longer than it would. */
export const startServers = async (members: number, delayMs: number) => {
  const firestore = await startFirestore({ projectId: PROJECT });
  const registry = await startRegistry({ members, hyphenated: 0, port: 0, token: TOKEN });
  const app = initializeApp({ projectId: PROJECT }, `bench-${firestore.port}`);
  const db = initializeFirestore(app);
  db.settings({ host: `${firestore.host}:${firestore.port}`, ssl: false });
  const http = makeRegistryHttp({
    baseUrl: registry.url,
    authScheme: 'Token',
    token: { read: async () => TOKEN, drop: () => undefined },
  });
  const kennitalas = Array.from(
    { length: members },
    (_, n) => registry.member(n + 1).ssn.replace('-', '') as Kennitala,
  );
  const given = {
    members: makeMemberStore(async () => db),
    registry: makeMemberReader(http),
    reference: async () => 'm_0000000000000000',
    now: () => new Date(),
  };

  return {
    db,
    http,
    registryUrl: registry.url,
    kennitalas,
    /** The registry and the portal as they are before anybody has edited. */
    load: async (): Promise<void> => {
      await firestore.clear();
      const signal = AbortSignal.timeout(60_000);
      for (let from = 0; from < members; from += 50) {
        const some = kennitalas.slice(from, from + 50);
        await Promise.all(
          some.map((kennitala) => applyReading({ kennitala, action: 'update' }, null, signal, given)),
        );
      }
    },
    /** Two edits a member that wait, as an outage leaves them. `round` makes their values new. */
    queue: async (round: number): Promise<void> => {
      const at = new Date(Date.now() - 60_000);
      const writer = db.bulkWriter();
      for (let n = 0; n < EDITS_PER_MEMBER; n += 1) {
        for (const [index, kennitala] of kennitalas.entries()) {
          const facebook = registry.member(index + 1).contact_info.facebook ?? '';
          const value = (edit: number) => (edit < 0 ? facebook : `round.${round}.${edit}`);
          const item = makeQueueItem(
            {
              id: `edit-${round}-${index}-${n}`,
              kennitala,
              djangoId: index + 1,
              action: 'update',
              changes: { 'profile.facebook': { oldValue: value(n - 1), newValue: value(n) } },
              editedAt: makeEditTime(Math.floor(at.getTime() / 1_000), n * 1_000),
              isContinuation: n > 0,
            },
            at,
          );
          void writer.set(db.doc(`sync_queue/${item.id}`), toItemDocument(item));
        }
      }
      await writer.close();
    },
    /** Edits that have not arrived. */
    missing: (round: number): number =>
      kennitalas.filter((_, index) => registry.member(index + 1).contact_info.facebook !== `round.${round}.1`)
        .length,
    emailOf: (index: number): string | null => registry.member(index + 1).contact_info.email ?? null,
    slowDown: (): void => {
      firestore.setDelay(delayMs);
      registry.addFault({ delay_ms: delayMs });
    },
    speedUp: (): void => {
      firestore.setDelay(0);
      registry.clearFaults();
    },
    close: async (): Promise<void> => {
      await http.close();
      await deleteApp(app);
      await Promise.all([firestore.close(), registry.close()]);
    },
  };
};

export type Servers = Awaited<ReturnType<typeof startServers>>;
