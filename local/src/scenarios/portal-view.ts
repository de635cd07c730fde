import { Firestore, Timestamp } from '@google-cloud/firestore';
import type { LocalRegistry } from '../registry/start-registry.ts';
import type { LocalStack } from '../stack.ts';

/** How long a tour waits for what should take less than a second. */
const LIMIT_MS = 10_000;

export type PortalView = ReturnType<typeof openPortalView>;

/** The portal as its web page sees it, and the operators' collections: read and written with the official client. */
export const openPortalView = ({ firestore, functions, secrets }: LocalStack) => {
  const client = new Firestore({
    projectId: functions.projectId,
    host: `${firestore.host}:${firestore.port}`,
    ssl: false,
  });
  const member = (kennitala: string) => client.collection('members').doc(kennitala);
  const openedAt = Timestamp.now();

  return {
    /** What a member does in the portal. */
    edit: async (kennitala: string, email: string): Promise<void> => {
      await member(kennitala).update({ 'profile.email': email });
    },
    emailOf: async (kennitala: string) => (await member(kennitala).get()).get('profile.email') ?? null,
    versionOf: async (kennitala: string) =>
      (await member(kennitala).get()).get('metadata.source_version') ?? null,
    /** States of the member's own edits in the queue, besides those of earlier tours. */
    queueOf: async (kennitala: string): Promise<string[]> => {
      const found = await client.collection('sync_queue').where('kennitala', '==', kennitala).get();
      const own = found.docs.filter((item) => item.get('created_at') >= openedAt);
      return own.map((item) => item.get('sync_status'));
    },
    /** The open conflict of the member's e-mail, with what each side has; null for none. */
    conflictOf: async (kennitala: string) => {
      const conflicts = client.collection('sync_conflicts').where('kennitala', '==', kennitala);
      const [found] = (await conflicts.where('state', '==', 'open').get()).docs;
      if (found === undefined) return null;
      const path = 'profile.email';
      const { portal, registry } = found.data()['paths'][path];
      return { id: found.id, path, portal: String(portal.value), registry: String(registry.value) };
    },
    /** Resolves with the milliseconds until the portal shows this version of the member, or null after the limit. */
    untilVisible: async (kennitala: string, version: number): Promise<number | null> => {
      const since = performance.now();
      const { promise, resolve } = Promise.withResolvers<number | null>();
      const timer = setTimeout(() => resolve(null), LIMIT_MS);
      const stop = member(kennitala).onSnapshot(
        (snapshot) => {
          if (snapshot.get('metadata.source_version') >= version) resolve(performance.now() - since);
        },
        () => resolve(null),
      );
      return promise.finally(() => {
        clearTimeout(timer);
        stop();
      });
    },
    /** Members that are not in the portal as they are in the registry. */
    differences: async (registry: LocalRegistry): Promise<number> => {
      const wanted = await membersOf(registry, secrets.DJANGO_API_TOKEN);
      const found = await client.collection('members').where('membership.status', '==', 'active').get();
      const shown = new Map(found.docs.map((document) => [document.id, seenIn(document.data())]));
      const missing = [...wanted].filter(([kennitala, seen]) => shown.get(kennitala) !== seen);
      return missing.length + [...shown.keys()].filter((kennitala) => !wanted.has(kennitala)).length;
    },
    /** How many runs of the roster published a list since then. */
    rosterUploads: async (since: Date): Promise<number> => {
      const runs = await client.collection('sync_audit').where('timestamp', '>=', since).get();
      return runs.docs.filter((run) => run.get('mirror') === 'roster' && run.get('outcome') === 'published')
        .length;
    },
    close: () => client.terminate(),
  };
};

/** A member as far as a tour compares them; the version grows with every change, so that it stands for the rest. */
const seen = (...parts: readonly unknown[]): string => JSON.stringify(parts);

const seenIn = ({ metadata, profile }: FirebaseFirestore.DocumentData): string =>
  seen(metadata.source_version, profile.name, profile.email);

interface Page {
  readonly next: string | null;
  readonly results: readonly {
    readonly ssn: string;
    readonly version: number;
    readonly name: string;
    readonly contact_info: { readonly email: string | null };
  }[];
}

/** Every member of the registry, by its own pages. */
const membersOf = async (registry: LocalRegistry, token: string): Promise<Map<string, string>> => {
  const members = new Map<string, string>();
  let next: string | null = `${registry.url}/api/members/?page_size=1000`;
  while (next !== null) {
    const answer: Response = await fetch(next, { headers: { authorization: `Token ${token}` } });
    if (!answer.ok) throw new Error(`The stand-in registry answered ${answer.status}.`);
    const page = (await answer.json()) as Page;
    for (const { ssn, version, name, contact_info } of page.results) {
      members.set(ssn.replace('-', ''), seen(version, name, contact_info.email ?? ''));
    }
    next = page.next;
  }
  return members;
};
