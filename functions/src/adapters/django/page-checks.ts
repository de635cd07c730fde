import { SyncError } from '../../lib/errors.ts';
import { invalidAnswer } from './failures.ts';
import type { PageQuery } from './page-link.ts';

/** What has been seen of one walk through the pages. */
export interface PageChecks {
  /** Row numbers, or kennitalas as written where a member has no number. */
  readonly members: Set<number | string>;
  readonly links: Set<string>;
  received: number;
  pages: number;
  count: number | null;
}

export interface CheckedPage {
  readonly count: number | null;
  readonly members: readonly unknown[];
  readonly next: PageQuery | null;
}

const WHERE = 'GET /api/members/';

export const makePageChecks = (): PageChecks => ({
  members: new Set(),
  links: new Set(),
  received: 0,
  pages: 0,
  count: null,
});

/**
 * Pages are counted off by position, so a member who is created or deleted while they are read moves others over a
 * page's edge. Whatever shows that is refused: a whole second reading costs less than a member who is missed.
 * @throws SyncError `registry_invalid_response`
 */
export const assertPageFits = (checks: PageChecks, { count, members, next }: CheckedPage): void => {
  checks.pages += 1;
  checks.received += members.length;
  if (count !== null && checks.count !== null && count < checks.count) {
    throw faulty('the total of members shrank while they were read', checks, { total: count });
  }
  checks.count = count ?? checks.count;
  noteMembers(checks, members);
  if (checks.count !== null && checks.received > checks.count) {
    throw faulty('there are more members on the pages than in all', checks, { total: checks.count });
  }
  if (next === null) return;
  if (members.length === 0) throw faulty('an empty page has a next one', checks);
  const link = new URLSearchParams({ ...next });
  link.sort();
  if (checks.links.has(link.toString())) throw faulty('the links to the next page go in a circle', checks);
  checks.links.add(link.toString());
};

/** @throws SyncError `incomplete_export` when fewer members came than the registry says it has. */
export const assertWhole = ({ received, count, pages }: PageChecks): void => {
  if (count === null || received >= count) return;
  throw new SyncError(
    'incomplete_export',
    `The registry says it has ${count} members but sent ${received} on ${pages} pages. Nothing was changed. ` +
      'Look at the registry, then run again.',
    { details: { announced: count, received, pages } },
  );
};

const noteMembers = (checks: PageChecks, members: readonly unknown[]): void => {
  let repeated = 0;
  for (const member of members) {
    const name = nameOf(member);
    if (name === null) continue;
    if (checks.members.has(name)) repeated += 1;
    else checks.members.add(name);
  }
  if (repeated === 0) return;
  throw repeated === members.length
    ? faulty('a page came twice', checks)
    : faulty(`${repeated} members came twice`, checks);
};

const nameOf = (member: unknown): number | string | null => {
  if (typeof member !== 'object' || member === null) return null;
  const { id, ssn, kennitala } = member as Readonly<Record<string, unknown>>;
  const name = id ?? ssn ?? kennitala;
  return typeof name === 'number' || typeof name === 'string' ? name : null;
};

const faulty = (what: string, checks: PageChecks, more: Record<string, number> = {}): SyncError =>
  invalidAnswer(WHERE, what, { page: checks.pages, received: checks.received, ...more });
