import { initializeApp } from 'firebase-admin/app';
import { type Firestore, getFirestore, Timestamp } from 'firebase-admin/firestore';

interface Page {
  readonly next: string | null;
  readonly results: readonly (Readonly<Record<string, unknown>> & { readonly ssn: string })[];
}

/**
 * The reference algorithm: the pages of the registry, one after another, and one `set` a member, one after another.
 * It compares nothing, so it writes every member in every run.
 *
 * `BENCH_SETS` ends it after so many members: its time grows evenly with them, and 100,000 take a quarter of an hour.
 */
export default async (): Promise<void> => {
  db ??= getFirestore(initializeApp());
  const members = db.collection('members');
  let left = Number(process.env['BENCH_SETS']);
  let url: string | null = `${process.env['DJANGO_BASE_URL']}/api/members/?page=1&page_size=500`;
  while (url !== null && left > 0) {
    const page: Page = await fetchPage(url);
    for (const member of page.results.slice(0, left)) {
      await members.doc(member.ssn.replace('-', '')).set(toDocument(member));
    }
    left -= page.results.length;
    url = page.next;
  }
};

let db: Firestore | undefined;

const fetchPage = async (url: string): Promise<Page> => {
  const authorization = `Token ${process.env['DJANGO_API_TOKEN']}`;
  const answer = await fetch(url, { headers: { authorization } });
  if (!answer.ok) throw new Error(`The registry answered ${answer.status}.`);
  return (await answer.json()) as Page;
};

const toDocument = ({ id, ssn, contact_info, local_address, version, ...rest }: Page['results'][number]) => ({
  profile: {
    kennitala: ssn.replace('-', ''),
    name: rest['name'],
    birthday: rest['birthday'],
    gender: rest['gender'],
    housing_situation: rest['housing_situation'],
    reachable: rest['reachable'],
    groupable: rest['groupable'],
    ...(contact_info as object),
    addresses: local_address === null ? [] : [local_address],
  },
  membership: {
    status: 'active',
    date_joined: rest['date_joined'],
    unions: rest['unions'],
    titles: rest['titles'],
  },
  metadata: { django_id: id, source_version: version, last_modified: Timestamp.now() },
});
