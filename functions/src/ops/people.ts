import type { KnownPerson, PeopleReader, RunHistory } from './ports.ts';
import type { ListedPerson, RunGroups, RunPeople } from './schemas.ts';

/** As many people are grouped; more than that, the shape of the first says enough. */
const MOST_GROUPED = 20_000;

interface PeopleDependencies {
  readonly history: Pick<RunHistory, 'changes'>;
  readonly people: PeopleReader;
  readonly now: () => Date;
}

/** One page of a run's lists with what the portal knows of each person. Null: there is no such page. */
export const readPeople = async (
  runId: string,
  page: number,
  { history, people }: PeopleDependencies,
): Promise<RunPeople | null> => {
  const found = await history.changes(runId, page);
  if (found === null) return page === 0 ? { runId, people: [], nextPage: null } : null;
  const listed = [
    ...found.added.map((kennitala) => ({ what: 'added' as const, kennitala })),
    ...found.removed.map((kennitala) => ({ what: 'removed' as const, kennitala })),
  ];
  const known = await people.describe(listed.map(({ kennitala }) => kennitala));
  return {
    runId,
    people: listed.map((one, index): ListedPerson => {
      const { name = null, postalCode = null, dateJoined = null } = known[index] ?? {};
      return { ...one, name, postalCode, dateJoined: dateJoined?.toISOString() ?? null };
    }),
    nextPage: found.isLast ? null : page + 1,
  };
};

/** The people of a run's lists counted by age, area and year of joining: what a wrong list looks like, without a name. */
export const groupPeople = async (runId: string, dependencies: PeopleDependencies): Promise<RunGroups> => {
  const all: ListedPerson[] = [];
  let page: number | null = 0;
  while (page !== null && all.length < MOST_GROUPED) {
    const found: RunPeople | null = await readPeople(runId, page, dependencies);
    all.push(...(found?.people ?? []));
    page = found?.nextPage ?? null;
  }
  const group = (what: ListedPerson['what']) => {
    const some = all.filter((person) => person.what === what);
    const now = dependencies.now();
    return {
      count: some.length,
      ages: countedBy(some, ({ kennitala }) => ageBand(kennitala, now), [...BANDS.map(([band]) => band)]),
      areas: countedBy(some, ({ postalCode }) => areaOf(postalCode)),
      joined: countedBy(some, ({ dateJoined }) => dateJoined?.slice(0, 4) ?? 'unknown'),
    };
  };
  return { runId, added: group('added'), removed: group('removed'), truncated: page !== null };
};

const BANDS = [
  ['0-17', 17],
  ['18-34', 34],
  ['35-49', 49],
  ['50-66', 66],
  ['67+', Number.POSITIVE_INFINITY],
] as const;

/** The century stands in the last digit: 8 for the 1800s, 9 for the 1900s, 0 for the 2000s. Pure. */
export const ageBand = (kennitala: string, now: Date): string => {
  const century = { '8': 1800, '9': 1900, '0': 2000 }[kennitala.slice(9)];
  const [day, month, year] = [0, 2, 4].map((from) => Number(kennitala.slice(from, from + 2)));
  const isDate =
    month !== undefined && month >= 1 && month <= 12 && day !== undefined && day >= 1 && day <= 31;
  if (century === undefined || year === undefined || !isDate) return 'unknown';
  const born = new Date(Date.UTC(century + year, month - 1, day));
  const hadBirthday =
    now.getUTCMonth() > born.getUTCMonth() ||
    (now.getUTCMonth() === born.getUTCMonth() && now.getUTCDate() >= born.getUTCDate());
  const age = now.getUTCFullYear() - born.getUTCFullYear() - (hadBirthday ? 0 : 1);
  if (age < 0) return 'unknown';
  return BANDS.find(([, most]) => age <= most)?.[0] ?? 'unknown';
};

const areaOf = (postalCode: KnownPerson['postalCode']): string =>
  postalCode !== null && /^\d{3}$/.test(postalCode) ? `${postalCode.slice(0, 2)}x` : 'unknown';

/** In the order of `order` or of the keys; what is not known comes last. */
const countedBy = (
  people: readonly ListedPerson[],
  keyOf: (person: ListedPerson) => string,
  order: readonly string[] = [],
): { key: string; count: number }[] => {
  const counts = new Map<string, number>();
  for (const person of people) counts.set(keyOf(person), (counts.get(keyOf(person)) ?? 0) + 1);
  const rank = (key: string): string => {
    if (key === 'unknown') return '~';
    const at = order.indexOf(key);
    return at === -1 ? key : String(at).padStart(3, '0');
  };
  return [...counts]
    .map(([key, count]) => ({ key, count }))
    .toSorted((one, other) => (rank(one.key) < rank(other.key) ? -1 : 1));
};
