import {
  type DocumentReference,
  FieldPath,
  type Firestore,
  type Query,
  type QueryDocumentSnapshot,
} from 'firebase-admin/firestore';
import { namesKennitala, spellingsOf } from '../../domain/kennitala.ts';
import { SyncError } from '../../lib/errors.ts';
import {
  type Counts,
  type ErasureStore,
  type Person,
  type StoreName,
  stillPublished,
} from '../../ops/ports.ts';
import { CHAINED_COLLECTIONS, erasedMark, judgePeople, shortenedDigest } from '../../proof/chain.ts';
import type { ChainKey, ChainKeys } from '../../proof/chain-key.ts';
import {
  inFormOf,
  type ListField,
  LONG_LISTS_PAGE,
  longLists,
  peopleIn,
  toListDocument,
} from './change-lists.ts';
import { type AboutPerson, COLLECTIONS, type Collection } from './collections.ts';
import { pagesOf } from './record-reader.ts';
import { assertAwaited, makeStoreCalls, STORE_CALL_LIMIT_MS, whileAwaited } from './store-call.ts';

/** Stands where a reference or a text was: what is left makes a repeated event harmless, and says that somebody decided. */
const ERASED = 'erased';

const OPERATORS_TEXTS: StoreName = 'free texts of operators';

/** All that Firestore holds of one person, by the table of its collections. */
export const makeFirestoreErasure = (
  client: () => Promise<Firestore>,
  keys: ChainKeys,
  callLimitMs = STORE_CALL_LIMIT_MS,
): ErasureStore[] => {
  const call = makeStoreCalls(client, callLimitMs);
  const stores = Object.entries(COLLECTIONS).flatMap(([name, { person }]: [string, Collection]) =>
    person === null ? [] : [eraseFrom(call, keys, name, person)],
  );
  return [...stores, eraseFromTexts(call, keys)];
};

const eraseFrom = (call: Call, keys: ChainKeys, collection: string, person: AboutPerson): ErasureStore => {
  switch (person.by) {
    case 'name':
      return eraseNamed(call, collection);
    case 'field':
      return eraseOwn(call, collection, person.field);
    case 'lists':
      return eraseFromLists(call, keys, collection, person.fields);
    case 'reference':
      return eraseReference(call, collection, person.field);
    default: {
      const never: never = person;
      return never;
    }
  }
};

/** The place as answers name it. */
const placeOf = (collection: string): StoreName => {
  const { below }: Collection = COLLECTIONS[collection as keyof typeof COLLECTIONS];
  return (below === undefined ? collection : `${below}/*/${collection}`) as StoreName;
};

/**
 * Documents that are named by the number, in any spelling, with everything below them, also below one that is not there. A
 * member who became active again is left alone.
 */
const eraseNamed = (call: Call, collection: string): ErasureStore => {
  const place = placeOf(collection);
  const refsOf = (db: Firestore, { kennitala }: Person) =>
    spellingsOf(kennitala).map((spelling) => db.collection(collection).doc(spelling));
  const eraseOne = (db: Firestore, ref: DocumentReference, isOver: () => boolean): Promise<number> => {
    const erase = whileAwaited(isOver, async (transaction) => {
      const document = await transaction.get(ref);
      if (document.get('membership.status') === 'active') throw stillPublished('portal');
      transaction.delete(ref);
      return document.exists ? 1 : 0;
    });
    return db.runTransaction(erase);
  };
  return {
    places: [place],
    isFirst: true,
    find: (person) =>
      call('answer what it has of a person', async (db) => {
        const refs = refsOf(db, person);
        const own = (await db.getAll(...refs)).filter(({ exists }) => exists).length;
        const below = await Promise.all(refs.map(documentsBelow));
        return { [place]: own + below.flat().length };
      }),
    erase: (person) =>
      call('erase documents of a person', async (db, isOver) => {
        let erased = 0;
        for (const ref of refsOf(db, person)) {
          erased += await eraseOne(db, ref, isOver);
          for (const { ref: inner } of await documentsBelow(ref)) {
            assertAwaited(isOver);
            await inner.delete();
            erased += 1;
          }
        }
        return { [place]: erased };
      }),
  };
};

/** No code of ours writes any; what stands there all the same is about the person. */
const documentsBelow = async (ref: DocumentReference): Promise<QueryDocumentSnapshot[]> => {
  const collections = await ref.listCollections();
  const found = await Promise.all(
    collections.map(async (collection) => {
      const { docs } = await collection.get();
      const refs = await collection.listDocuments();
      return [...docs, ...(await Promise.all(refs.map(documentsBelow))).flat()];
    }),
  );
  return found.flat();
};

/** Documents that are about the person alone. */
const eraseOwn = (call: Call, collection: string, field: string): ErasureStore => {
  const place = placeOf(collection);
  const of =
    ({ kennitala }: Person) =>
    (db: Firestore) =>
      db.collection(collection).where(field, 'in', spellingsOf(kennitala));
  return {
    places: [place],
    find: async (person) => ({ [place]: await countFound(call, of(person)) }),
    erase: async (person, signal) => ({
      [place]: await eraseFound(call, of(person), (ref) => ref.delete(), signal),
    }),
  };
};

/**
 * The lists of runs, everyone's: only the number is taken out. It may stand in several lists of one document. Beside them is
 * left a keyed digest of what remains, so that the proof of the records tells an erasure from any other change.
 */
const eraseFromLists = (
  call: Call,
  keys: ChainKeys,
  collection: string,
  fields: readonly ListField[],
): ErasureStore => {
  const place = placeOf(collection);
  const naming =
    (field: ListField, { kennitala }: Person) =>
    (db: Firestore): Query =>
      db.collectionGroup(collection).where(field, 'array-contains-any', spellingsOf(kennitala));
  /** No index finds anybody in these. */
  const inLong = async (
    { kennitala }: Person,
    treat: (ref: DocumentReference, field: ListField, isOver: () => boolean) => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<number> => {
    const numbers = spellingsOf(kennitala);
    let treated = 0;
    for await (const document of pagesOf(call, longLists, LONG_LISTS_PAGE, signal)) {
      for (const field of fields) {
        const people = new Set(peopleIn(document.get(field)));
        if (!numbers.some((number) => people.has(number))) continue;
        const erase = (_db: Firestore, isOver: () => boolean) =>
          unlessGone(() => treat(document.ref, field, isOver));
        if (await call('erase documents of a person', erase)) treated += 1;
      }
    }
    return treated;
  };
  const shorten =
    ({ kennitala }: Person) =>
    async (ref: DocumentReference, field: ListField, isOver: () => boolean) =>
      shortenLists({ ref, field, numbers: spellingsOf(kennitala), keys: await keys.all(), isOver });
  return {
    places: [place],
    find: async (person) => {
      let sum = await inLong(person, async () => undefined);
      for (const field of fields) sum += await countFound(call, naming(field, person));
      return { [place]: sum };
    },
    erase: async (person, signal) => {
      const treat = shorten(person);
      let sum = await inLong(person, treat, signal);
      for (const field of fields) {
        const inField = (ref: DocumentReference, isOver: () => boolean) => treat(ref, field, isOver);
        sum += await eraseFound(call, naming(field, person), inField, signal);
      }
      return { [place]: sum };
    },
  };
};

interface Shortening {
  readonly ref: DocumentReference;
  readonly field: ListField;
  readonly numbers: readonly string[];
  readonly keys: readonly ChainKey[];
  readonly isOver: () => boolean;
}

const shortenLists = ({ ref, field, numbers, keys, isOver }: Shortening): Promise<void> => {
  const shorten = whileAwaited(isOver, async (transaction) => {
    const data = (await transaction.get(ref)).data() ?? {};
    const people = peopleIn(data[field]).filter((number) => !numbers.includes(number));
    const left = inFormOf(data[field], people);
    const place = `${ref.parent.parent?.id}/${ref.id}`;
    const before = toListDocument(data);
    // A list that was altered before stays one: no digest makes it right.
    const key = keys.find((one) => judgePeople(one, place, before) !== 'altered');
    const { digest } = before;
    const shortened =
      key === undefined || digest === null
        ? {}
        : { shortened: shortenedDigest(key, place, digest, toListDocument({ ...data, [field]: left })) };
    transaction.update(ref, { [field]: left, ...shortened });
  });
  return ref.firestore.runTransaction(shorten);
};

const eraseReference = (call: Call, collection: string, field: string): ErasureStore => {
  const place = placeOf(collection);
  const of =
    ({ reference }: Person) =>
    (db: Firestore) =>
      db.collection(collection).where(field, '==', reference);
  return {
    places: [place],
    find: async (person) => ({ [place]: await countFound(call, of(person)) }),
    erase: async (person, signal) => ({
      [place]: await eraseFound(call, of(person), (ref) => ref.update({ [field]: ERASED }), signal),
    }),
  };
};

/**
 * What operators typed. Numbers are refused there, but records may be older than that. No index finds a number in prose, so
 * every text is read: a year of runs is some ten thousand documents of which these fields alone are fetched.
 */
const eraseFromTexts = (call: Call, keys: ChainKeys): ErasureStore => {
  const withTexts = Object.entries(COLLECTIONS).flatMap(
    ([name, { texts }]: [string, Collection]): [string, readonly string[]][] =>
      texts === undefined ? [] : [[name, texts]],
  );
  const inEach = async (
    { kennitala }: Person,
    signal: AbortSignal,
    treat: (ref: DocumentReference, naming: readonly string[]) => Promise<unknown>,
  ): Promise<Counts> => {
    let found = 0;
    for (const [collection, texts] of withTexts) {
      const all = (db: Firestore) =>
        db
          .collection(collection)
          .orderBy(FieldPath.documentId())
          .select(...texts);
      await eachPage(call, all, signal, async (document) => {
        const naming = texts.filter((field) => {
          const text: unknown = document.get(field);
          return typeof text === 'string' && namesKennitala(text, kennitala);
        });
        if (naming.length === 0) return;
        found += 1;
        await treat(document.ref, naming);
      });
    }
    return { [OPERATORS_TEXTS]: found };
  };
  return {
    places: [OPERATORS_TEXTS],
    find: (person, signal) => inEach(person, signal, async () => undefined),
    erase: (person, signal) =>
      inEach(person, signal, async (ref, naming) => {
        const key = await keys.current();
        const isChained = CHAINED_COLLECTIONS.some((name) => name === ref.parent.id);
        const marks = naming.map((field) => [`erased.${field}`, erasedMark(key, ref.id, field)]);
        const texts = naming.map((field) => [field, ERASED]);
        await ref.update(Object.fromEntries(isChained ? [...texts, ...marks] : texts));
      }),
  };
};

/** Documents of one round: well below what one commit may hold, and each round has the time limit for itself. */
const PAGE = 100;
const NOT_FOUND = 5;

type Call = ReturnType<typeof makeStoreCalls>;

/**
 * Treats everything that a query finds, round by round, until it finds nothing: `treat` must take its document out of the
 * query. Only names are read, since a list of a run can be large. Says how many documents were treated.
 */
const eraseFound = async (
  call: Call,
  query: (db: Firestore) => Query,
  treat: (ref: DocumentReference, isOver: () => boolean) => Promise<unknown>,
  signal: AbortSignal,
): Promise<number> => {
  for (let treated = 0; ; ) {
    if (signal.aborted) throw new SyncError('deadline_exceeded', 'The erasure reached its time limit.');
    const round = await call('erase documents of a person', async (db, isOver) => {
      const { docs } = await query(db).limit(PAGE).select().get();
      assertAwaited(isOver);
      const done = await Promise.all(docs.map(({ ref }) => unlessGone(() => treat(ref, isOver))));
      return { found: docs.length, treated: done.filter(Boolean).length };
    });
    if (round.found === 0) return treated;
    treated += round.treated;
  }
};

const PAGE_OF_TEXTS = 1_000;

/** Every document of an ordered query, page by page, each page within the time limit of one call. */
const eachPage = async (
  call: Call,
  query: (db: Firestore) => Query,
  signal: AbortSignal,
  visit: (document: QueryDocumentSnapshot) => Promise<void>,
): Promise<void> => {
  for (let last: QueryDocumentSnapshot | undefined; ; ) {
    if (signal.aborted) throw new SyncError('deadline_exceeded', 'The erasure reached its time limit.');
    const after = last;
    const docs = await call('read what operators wrote', async (db, isOver) => {
      const page = query(db).limit(PAGE_OF_TEXTS);
      const found = await (after === undefined ? page : page.startAfter(after)).get();
      for (const document of found.docs) {
        assertAwaited(isOver);
        await visit(document);
      }
      return found.docs;
    });
    last = docs.at(-1);
    if (last === undefined || docs.length < PAGE_OF_TEXTS) return;
  }
};

const countFound = (call: Call, query: (db: Firestore) => Query): Promise<number> =>
  call('count documents of a person', async (db) => (await query(db).count().get()).data().count);

/** False for a document that somebody else, the TTL for one, deleted in between. */
const unlessGone = async (treat: () => Promise<unknown>): Promise<boolean> => {
  try {
    await treat();
    return true;
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code === NOT_FOUND) return false;
    throw cause;
  }
};
