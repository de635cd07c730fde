import { Firestore, Timestamp } from '@google-cloud/firestore';
import type { LocalStack } from '../stack.ts';

export interface QueueEntry {
  readonly id: string;
  readonly status: string;
}

export interface OpenConflict {
  readonly id: string;
  readonly path: string;
  readonly portal: string;
  readonly registry: string;
}

/** The portal and the operators' collections, read and written with the official client. */
export interface TwoWayView {
  /** What a member does in the portal. */
  edit(kennitala: string, email: string): Promise<void>;
  emailOf(kennitala: string): Promise<string | null>;
  versionOf(kennitala: string): Promise<number | null>;
  /** The member's own edits in the queue, besides those of earlier tours. */
  queueOf(kennitala: string): Promise<readonly QueueEntry[]>;
  conflictOf(kennitala: string): Promise<OpenConflict | null>;
  close(): Promise<void>;
}

export const openTwoWayView = ({ firestore, functions }: LocalStack): TwoWayView => {
  const client = new Firestore({
    projectId: functions.projectId,
    host: `${firestore.host}:${firestore.port}`,
    ssl: false,
  });
  const member = (kennitala: string) => client.collection('members').doc(kennitala);
  const openedAt = Timestamp.now();
  return {
    edit: async (kennitala, email) => {
      await member(kennitala).update({ 'profile.email': email });
    },
    emailOf: async (kennitala) => (await member(kennitala).get()).get('profile.email') ?? null,
    versionOf: async (kennitala) => (await member(kennitala).get()).get('metadata.source_version') ?? null,
    queueOf: async (kennitala) => {
      const found = await client.collection('sync_queue').where('kennitala', '==', kennitala).get();
      const own = found.docs.filter((item) => item.get('created_at') >= openedAt);
      return own.map((item) => ({ id: item.id, status: item.get('sync_status') }));
    },
    conflictOf: async (kennitala) => {
      const found = await client
        .collection('sync_conflicts')
        .where('kennitala', '==', kennitala)
        .where('state', '==', 'open')
        .get();
      const [conflict] = found.docs;
      if (conflict === undefined) return null;
      const path = 'profile.email';
      const { portal, registry } = conflict.data()['paths'][path];
      return { id: conflict.id, path, portal: portal.value, registry: registry.value };
    },
    close: () => client.terminate(),
  };
};
