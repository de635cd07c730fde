import { Firestore } from '@google-cloud/firestore';
import type { LocalRegistry } from '../registry/start-registry.ts';
import type { LocalStack } from '../stack.ts';

/** A member as far as a tour compares them; `version` grows with every change, so that it stands for the rest. */
interface Seen {
  readonly version: number;
  readonly name: string;
  readonly email: string;
}

/** The portal as its web page sees it: the official client, reading Firestore. */
export interface PortalView {
  /** Resolves with the milliseconds until the portal shows this version of the member, or null after the limit. */
  untilVisible(kennitala: string, version: number, since: number): Promise<number | null>;
  /** Opens a connection that listens, which takes the first one a while. */
  warmUp(): Promise<void>;
  /** Members that are not in the portal as they are in the registry. */
  differences(): Promise<number>;
  /** How many runs of the roster published a list since then. */
  rosterUploads(since: Date): Promise<number>;
  close(): Promise<void>;
}

/** How long a tour waits for what should take less than a second. */
const LIMIT_MS = 10_000;

export const openPortalView = (stack: LocalStack, registry: LocalRegistry): PortalView => {
  const { firestore, functions } = stack;
  const client = new Firestore({
    projectId: functions.projectId,
    host: `${firestore.host}:${firestore.port}`,
    ssl: false,
  });
  const member = (kennitala: string) => client.collection('members').doc(kennitala);

  return {
    untilVisible: (kennitala, version, since) =>
      new Promise((resolve) => {
        const end = (milliseconds: number | null): void => {
          clearTimeout(timer);
          stop();
          resolve(milliseconds);
        };
        const timer = setTimeout(() => end(null), LIMIT_MS);
        const stop = member(kennitala).onSnapshot(
          (snapshot) => {
            if (snapshot.get('metadata.source_version') >= version) end(performance.now() - since);
          },
          () => end(null),
        );
      }),
    warmUp: async () => {
      await new Promise<void>((resolve, reject) => {
        const stop = member('none').onSnapshot(() => {
          stop();
          resolve();
        }, reject);
      });
    },
    differences: async () => {
      const wanted = await membersOf(registry, stack.secrets.DJANGO_API_TOKEN);
      const found = await client.collection('members').where('membership.status', '==', 'active').get();
      const shown = new Map(found.docs.map((document) => [document.id, seenIn(document.data())]));
      const strangers = [...shown.keys()].filter((kennitala) => !wanted.has(kennitala)).length;
      const missing = [...wanted].filter(
        ([kennitala, seen]) => JSON.stringify(shown.get(kennitala)) !== JSON.stringify(seen),
      ).length;
      return strangers + missing;
    },
    rosterUploads: async (since) => {
      const runs = await client.collection('sync_audit').where('timestamp', '>=', since).get();
      return runs.docs.filter((run) => run.get('mirror') === 'roster' && run.get('outcome') === 'published')
        .length;
    },
    close: () => client.terminate(),
  };
};

const seenIn = (data: FirebaseFirestore.DocumentData): Seen => ({
  version: data['metadata'].source_version,
  name: data['profile'].name,
  email: data['profile'].email,
});

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
const membersOf = async (registry: LocalRegistry, token: string): Promise<ReadonlyMap<string, Seen>> => {
  const members = new Map<string, Seen>();
  let next: string | null = `${registry.url}/api/members/?page_size=1000`;
  while (next !== null) {
    const answer: Response = await fetch(next, { headers: { authorization: `Token ${token}` } });
    if (!answer.ok) throw new Error(`The stand-in registry answered ${answer.status}.`);
    const page = (await answer.json()) as Page;
    for (const { ssn, version, name, contact_info } of page.results) {
      members.set(ssn.replace('-', ''), { version, name, email: contact_info.email ?? '' });
    }
    next = page.next;
  }
  return members;
};
