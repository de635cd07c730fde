import type { DocumentWrite } from '../../functions/src/twoway/ports.ts';
import type { Servers } from './servers.ts';

export interface Counts {
  requests: number;
  /** Documents. */
  reads: number;
  writes: number;
}

export const makeCounts = (): Counts => ({ requests: 0, reads: 0, writes: 0 });

/**
 * The reference algorithm: one pending change after another, one request and one update each. It claims nothing, expects
 * nothing of what the registry holds, and the member's document knows nothing of it.
 */
export const deliverReference = async ({ db, http }: Servers, counts: Counts): Promise<void> => {
  const { z } = await import('zod');
  const answer = z.object({ results: z.array(z.object({ status: z.literal('success') })).length(1) });
  const pending = await db
    .collection('sync_queue')
    .where('sync_status', '==', 'pending')
    .orderBy('edited_at')
    .get();
  counts.reads += pending.size;
  for (const document of pending.docs) {
    const { kennitala, django_id, changes } = document.data();
    const values = Object.entries(changes as Record<string, { new_value: unknown }>);
    await http.postJson(
      '/api/sync/apply/',
      {
        changes: [
          {
            kennitala,
            django_id,
            action: 'update',
            changes: Object.fromEntries(values.map(([path, { new_value }]) => [path, new_value])),
          },
        ],
      },
      answer,
    );
    counts.requests += 1;
    await document.ref.update({ sync_status: 'synced', synced_at: new Date() });
    counts.writes += 1;
  }
};

/** The same of one edit, as a trigger would do it that tells the registry whatever it finds changed, and says that it did. */
export const deliverEdit = async (write: DocumentWrite, servers: Servers): Promise<void> => {
  await tellRegistry(write, servers);
  const { eventId, kennitala } = write;
  await servers.db
    .doc(`sync_queue/${eventId}`)
    .set({ kennitala, sync_status: 'synced', synced_at: new Date() });
};

const tellRegistry = async ({ kennitala, after }: DocumentWrite, { http }: Servers): Promise<void> => {
  const { z } = await import('zod');
  if (after === null) return;
  const email = after.member.profile.email;
  await http.postJson(
    '/api/sync/apply/',
    {
      changes: [
        { kennitala, django_id: after.meta.django_id, action: 'update', changes: { 'profile.email': email } },
      ],
    },
    z.object({ results: z.array(z.object({ status: z.literal('success') })).length(1) }),
  );
};

/**
 * No less asks Firestore for what our delivery asks it for: a transaction that writes the edit down, one that claims it, and, when
 * the registry has answered, one that ends it. Each reads the member and what waits of them. Nothing is decided.
 */
export const deliverInTransactions = async (write: DocumentWrite, servers: Servers): Promise<void> => {
  const { db } = servers;
  const member = db.doc(`members/${write.kennitala}`);
  const item = db.doc(`sync_queue/${write.eventId}`);
  const waiting = db
    .collection('sync_queue')
    .where('kennitala', '==', write.kennitala)
    .where('sync_status', '==', 'pending');
  const take = (sync_status: string) =>
    db.runTransaction(async (transaction) => {
      await Promise.all([transaction.getAll(member, item), transaction.get(waiting)]);
      transaction.set(item, { kennitala: write.kennitala, sync_status });
      if (sync_status === 'synced') transaction.update(member, { 'metadata.origin': 'two-way' });
    });
  await take('pending');
  await take('pending');
  await tellRegistry(write, servers);
  await take('synced');
};
