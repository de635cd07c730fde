import { FieldValue, type Firestore, type Query } from 'firebase-admin/firestore';
import { stillPublished } from '../../ops/erase/may-be-erased.ts';
import type { ErasureStore, Person, StoreName } from '../../ops/erase/ports.ts';
import { type Client, countFound, eraseCall, eraseFound } from './erase-query.ts';

/** Stands in a receipt where the reference was: the receipt itself makes a repeated event harmless. */
const ERASED = 'erased';

/** All that Firestore holds of one person. */
export const makeFirestoreErasure = (client: Client): ErasureStore[] => [
  // First: whoever follows a hint writes the member only while it stands.
  eraseNamed(client, 'webhook_hints'),
  eraseMember(client),
  eraseOwn(client, 'sync_queue'),
  eraseOwn(client, 'sync_conflicts'),
  eraseFromLists(client),
  eraseFromReceipts(client),
];

/** `members/{kennitala}`. One that became active again is left alone. */
const eraseMember = (client: Client): ErasureStore => {
  const refOf = (db: Firestore, { kennitala }: Person) => db.collection('members').doc(kennitala);
  return {
    places: ['members'],
    find: (person) =>
      eraseCall(client, 'answer whether it has a member', async (db) => ({
        members: (await refOf(db, person).get()).exists ? 1 : 0,
      })),
    erase: (person) =>
      eraseCall(client, 'erase a member', (db) =>
        db.runTransaction(async (transaction) => {
          const document = await transaction.get(refOf(db, person));
          if (document.get('membership.status') === 'active') throw stillPublished('portal');
          transaction.delete(document.ref);
          return { members: document.exists ? 1 : 0 };
        }),
      ),
  };
};

/** A document that is named by the kennitala and has nothing to say when the person is gone. */
const eraseNamed = (client: Client, place: 'webhook_hints'): ErasureStore => {
  const refOf = (db: Firestore, { kennitala }: Person) => db.collection(place).doc(kennitala);
  const count = async (db: Firestore, person: Person) => ({
    [place]: (await refOf(db, person).get()).exists ? 1 : 0,
  });
  return {
    places: [place],
    find: (person) => eraseCall(client, 'answer whether it has a hint', (db) => count(db, person)),
    erase: (person) =>
      eraseCall(client, 'erase a hint', async (db) => {
        const found = await count(db, person);
        await refOf(db, person).delete();
        return found;
      }),
  };
};

/** Documents that are about the person alone. */
const eraseOwn = (client: Client, place: 'sync_queue' | 'sync_conflicts'): ErasureStore => {
  const of =
    ({ kennitala }: Person) =>
    (db: Firestore) =>
      db.collection(place).where('kennitala', '==', kennitala);
  return {
    places: [place],
    find: async (person) => ({ [place]: await countFound(client, of(person)) }),
    erase: async (person, signal) => ({
      [place]: await eraseFound(client, of(person), (ref) => ref.delete(), signal),
    }),
  };
};

/** The lists of runs, everyone's: only the number is taken out. It may stand in both lists of one document. */
const eraseFromLists = (client: Client): ErasureStore => {
  const place: StoreName = 'sync_audit/*/changes';
  const naming =
    (field: string, { kennitala }: Person) =>
    (db: Firestore): Query =>
      db.collectionGroup('changes').where(field, 'array-contains', kennitala);
  const inBoth = async (work: (field: string) => Promise<number>) => ({
    [place]: (await work('addedKennitalas')) + (await work('removedKennitalas')),
  });
  return {
    places: [place],
    find: (person) => inBoth((field) => countFound(client, naming(field, person))),
    erase: (person, signal) =>
      inBoth((field) =>
        eraseFound(
          client,
          naming(field, person),
          (ref) => ref.update({ [field]: FieldValue.arrayRemove(person.kennitala) }),
          signal,
        ),
      ),
  };
};

const eraseFromReceipts = (client: Client): ErasureStore => {
  const place = 'webhook_receipts';
  const of =
    ({ reference }: Person) =>
    (db: Firestore) =>
      db.collection(place).where('member', '==', reference);
  return {
    places: [place],
    find: async (person) => ({ [place]: await countFound(client, of(person)) }),
    erase: async (person, signal) => ({
      [place]: await eraseFound(client, of(person), (ref) => ref.update({ member: ERASED }), signal),
    }),
  };
};
