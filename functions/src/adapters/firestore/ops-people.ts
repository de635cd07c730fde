import { type DocumentSnapshot, type Firestore, Timestamp } from 'firebase-admin/firestore';
import type { KnownPerson, PeopleReader } from '../../ops/ports.ts';
import { STORE_CALL_LIMIT_MS, storeCall } from './store-call.ts';

/** Documents of one call; each brings some hundred bytes. */
const READ_AT_ONCE = 500;

/**
 * What the portal knows of the people on a run's lists, those who have left included: their documents stay, inactive.
 * Only the three fields that an operator decides by are read.
 */
export const makePeopleReader = (client: () => Promise<Firestore>): PeopleReader => ({
  describe: async (kennitalas) => {
    const people: KnownPerson[] = [];
    for (let from = 0; from < kennitalas.length; from += READ_AT_ONCE) {
      const some = kennitalas.slice(from, from + READ_AT_ONCE);
      const found = await storeCall(
        'store_unavailable',
        'answer the members',
        STORE_CALL_LIMIT_MS,
        async () => {
          const db = await client();
          const members = db.collection('members');
          return db.getAll(...some.map((kennitala) => members.doc(kennitala)), {
            fieldMask: ['profile.name', 'profile.addresses', 'membership.date_joined'],
          });
        },
      );
      people.push(...found.map(toPerson));
    }
    return people;
  },
});

const toPerson = (document: DocumentSnapshot): KnownPerson => {
  const joined: unknown = document.get('membership.date_joined');
  const addresses: unknown = document.get('profile.addresses');
  return {
    name: textOf(document.get('profile.name')),
    postalCode: Array.isArray(addresses) ? postalCodeOf(addresses) : null,
    dateJoined: joined instanceof Timestamp ? joined.toDate() : null,
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
