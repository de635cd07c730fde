import type { DocumentData, DocumentSnapshot, Firestore } from 'firebase-admin/firestore';
import type { Kennitala } from '../../domain/kennitala.ts';
import type { KnownPerson, MemberTrace, PeopleReader } from '../../ops/ports.ts';
import { memberOrigin } from '../../ops/schemas/person.ts';
import type { PortalNow } from '../../ops/schemas.ts';
import { LONG_LISTS_PAGE, longLists, toListDocument } from './change-lists.ts';
import { memberRef } from './member-document.ts';
import { fromActionDocument, toRecord } from './ops-runs.ts';
import { pagesOf } from './record-reader.ts';
import { makeStoreCalls, timeIn } from './store-call.ts';

/** Documents of one call; each brings some hundred bytes. */
const READ_AT_ONCE = 500;

/**
 * What the portal knows of the people on a run's lists, those who have left included: their documents stay, inactive.
 * Only the three fields that an operator decides by are read.
 */
export const makePeopleReader = (client: () => Promise<Firestore>): PeopleReader => {
  const call = makeStoreCalls(client);
  return {
    describe: async (kennitalas) => {
      const people: KnownPerson[] = [];
      for (let from = 0; from < kennitalas.length; from += READ_AT_ONCE) {
        const some = kennitalas.slice(from, from + READ_AT_ONCE);
        const found = await call('answer the members', (db) =>
          db.getAll(...some.map((kennitala) => memberRef(db, kennitala as Kennitala)), {
            fieldMask: ['profile.name', 'profile.addresses', 'membership.date_joined'],
          }),
        );
        people.push(...found.map(toPerson));
      }
      return people;
    },
  };
};

const toPerson = (document: DocumentSnapshot): KnownPerson => {
  const addresses: unknown = document.get('profile.addresses');
  return {
    name: textOf(document.get('profile.name')),
    postalCode: Array.isArray(addresses) ? postalCodeOf(addresses) : null,
    dateJoined: timeIn(document.get('membership.date_joined')),
  };
};

const postalCodeOf = (addresses: readonly unknown[]): string | null => {
  const known = addresses.filter((address) => typeof address === 'object' && address !== null) as Record<
    string,
    unknown
  >[];
  const address = known.find(({ is_default }) => is_default === true) ?? known[0];
  return textOf(address?.['postal_code']);
};

const textOf = (value: unknown): string | null =>
  typeof value === 'number' ? String(value) : typeof value === 'string' && value !== '' ? value : null;

/** Of each kind; a member of many years has fewer. */
const ENTRIES_READ = 200;

interface NamedRun {
  readonly runId: string;
  readonly what: 'added' | 'removed';
}

type Found = Pick<MemberTrace, 'queued' | 'conflictsOf'>;

/** Everything in Firestore that names one member. `found` reads what the way back holds. */
export const makeMemberTrace = (client: () => Promise<Firestore>, found: Found): MemberTrace => {
  const call = makeStoreCalls(client);

  const longListsNaming = async (kennitala: Kennitala): Promise<NamedRun[]> => {
    const named: NamedRun[] = [];
    for await (const document of pagesOf(call, longLists, LONG_LISTS_PAGE)) {
      const people = toListDocument(document.data());
      const runId = document.ref.parent.parent?.id;
      if (runId === undefined) continue;
      for (const what of ['added', 'removed'] as const)
        if (people[what].includes(kennitala)) named.push({ runId, what });
    }
    return named;
  };

  return {
    ...found,
    portal: (kennitala) =>
      call('answer the member', async (db) => {
        const document = await db.collection('members').doc(kennitala).get();
        return toPortalNow(document.data());
      }),
    receipts: (member) =>
      call('answer the receipts', async (db) => {
        const { docs } = await db
          .collection('webhook_receipts')
          .where('member', '==', member)
          .limit(ENTRIES_READ)
          .get();
        return docs.flatMap((document) => {
          const at = timeIn(document.get('receivedAt'));
          const [result, action] = [document.get('result'), document.get('action')];
          return at === null ? [] : [{ at, result: String(result), action: String(action) }];
        });
      }),
    runs: async (kennitala) => {
      const long = await longListsNaming(kennitala);
      return call('answer the runs of the member', async (db) => {
        const both = await Promise.all(
          (['added', 'removed'] as const).map(async (what) =>
            (await runIdsNaming(db, kennitala, what)).map((runId) => ({ runId, what })),
          ),
        );
        const named = [...both.flat(), ...long];
        if (named.length === 0) return [];
        const records = await db.getAll(...named.map(({ runId }) => db.collection('sync_audit').doc(runId)));
        return named.flatMap(({ what }, n) => {
          const record = records[n];
          return record?.exists ? [{ run: toRecord(record), what }] : [];
        });
      });
    },
    actions: (member) =>
      call('answer the actions of operators', async (db) => {
        const all = db.collection('operator_actions');
        const [about, pauses] = await Promise.all([
          all.where('member', '==', member).limit(ENTRIES_READ).get(),
          all.where('action', 'in', ['pause', 'resume']).orderBy('at', 'desc').limit(ENTRIES_READ).get(),
        ]);
        return [...about.docs, ...pauses.docs].map((document) => fromActionDocument(document.data()));
      }),
  };
};

const runIdsNaming = async (
  db: Firestore,
  kennitala: Kennitala,
  what: NamedRun['what'],
): Promise<string[]> => {
  const { docs } = await db
    .collectionGroup('changes')
    .where(`${what}Kennitalas`, 'array-contains', kennitala)
    .limit(ENTRIES_READ)
    .get();
  return docs.flatMap((document) => document.ref.parent.parent?.id ?? []);
};

/** Only what says whether the person is a member and since when. */
const toPortalNow = (data: DocumentData | undefined): PortalNow => {
  if (data === undefined) return { state: 'absent' };
  const { membership, metadata } = data;
  return {
    state: membership?.status === 'active' ? 'active' : 'inactive',
    version: typeof metadata?.source_version === 'number' ? metadata.source_version : null,
    origin: memberOrigin.safeParse(metadata?.origin).data ?? null,
    syncedAt: timeIn(metadata?.synced_at)?.toISOString() ?? null,
    deletedAt: timeIn(metadata?.deleted_at)?.toISOString() ?? null,
  };
};
