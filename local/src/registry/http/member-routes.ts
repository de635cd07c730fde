import type { Context, Hono } from 'hono';
import type { LegacyRegistry } from '../legacy/legacy-registry.ts';
import { BUCKETS, type Digests, withDigest } from '../members/digests.ts';
import type { Directory } from '../members/directory.ts';
import { dropEvenly, makeListExport } from '../members/export-list.ts';
import type { WireMember } from '../members/wire-member.ts';
import { detail, methodNotAllowed } from './answers.ts';
import type { RegistryEnv } from './env.ts';

const DEFAULT_PAGE_SIZE = 500;
const MAX_PAGE_SIZE = 1000;

/** The calls that read members: the list export, the pages and one member. */
export const addMemberRoutes = (
  app: Hono<RegistryEnv>,
  directory: Directory,
  digests: Digests,
  companion: () => boolean,
  legacy: LegacyRegistry,
): void => {
  const listExport = makeListExport(directory);
  const onWire = (index: number): Omit<WireMember, 'version'> => {
    const member = directory.member(index);
    if (companion()) return withDigest(member);
    const { version: _version, ...plain } = member;
    return plain;
  };

  app.get('/api/members/kennitalas/', (c) =>
    c.body(listExport(c.var.fault.drop ?? 0, new Date()), 200, { 'Content-Type': 'application/json' }),
  );
  app.all('/api/members/kennitalas/', methodNotAllowed('GET, HEAD'));

  app.get('/api/members/', (c) => {
    const since = timeQuery(c, 'modified_since');
    if (since === null) return c.json({ modified_since: ['Enter a valid date/time.'] }, 400);
    const bucket = companion() ? bucketQuery(c) : undefined;
    if (bucket === null) return c.json({ error: `bucket must be a whole number below ${BUCKETS}` }, 400);
    const live = bucket === undefined ? directory.live() : digests.rowsOf(bucket);
    const all = dropEvenly(live, c.var.fault.drop ?? 0);
    const rows =
      since === undefined ? all : all.filter((index) => Date.parse(directory.modifiedAt(index)) >= since);
    const size = Math.min(MAX_PAGE_SIZE, naturalQuery(c, 'page_size') ?? DEFAULT_PAGE_SIZE);
    const last = Math.max(1, Math.ceil(rows.length / size));
    const asked = c.req.query('page') ?? '1';
    const page = asked === 'last' ? last : /^[1-9]\d{0,8}$/.test(asked) ? Number(asked) : 0;
    if (page < 1 || page > last) return detail(c, 404, 'Invalid page.');
    return c.json({
      count: rows.length,
      next: page < last ? pageUrl(c, page + 1) : null,
      previous: page > 1 ? pageUrl(c, page - 1) : null,
      results: Array.from(rows.subarray((page - 1) * size, page * size), onWire),
    });
  });
  app.all('/api/members/', methodNotAllowed('GET, HEAD'));

  app.get('/api/sync/member/:ssn/', async (c) => {
    const index = directory.find(c.req.param('ssn'));
    if (legacy.isOn()) {
      const member = index === null ? null : await legacy.read(index, directory);
      return member === null ? c.json({ error: 'Member not found' }, 404) : c.json(member);
    }
    if (index === null || !directory.isLive(index)) return c.json({ error: 'Member not found' }, 404);
    return c.json(onWire(index));
  });
  app.all('/api/sync/member/:ssn/', methodNotAllowed('GET, HEAD'));
};

/** Milliseconds of an ISO 8601 query value; undefined when absent, null when it is not a time. */
export const timeQuery = (c: Context<RegistryEnv>, name: string): number | null | undefined => {
  const text = c.req.query(name);
  if (text === undefined || text === '') return undefined;
  // A plus that was not escaped arrives as a space; Django's parser would refuse it too, without saying why.
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
};

/** Undefined when absent, null when it is none. */
const bucketQuery = (c: Context<RegistryEnv>): number | null | undefined => {
  const text = c.req.query('bucket');
  if (text === undefined) return undefined;
  return /^\d{1,3}$/.test(text) && Number(text) < BUCKETS ? Number(text) : null;
};

/** As the framework does, a page size that is not a positive number counts as absent. */
const naturalQuery = (c: Context<RegistryEnv>, name: string): number | undefined => {
  const text = c.req.query(name) ?? '';
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
};

/** This request's address with another page. A fault asked for by this request alone does not travel along. */
const pageUrl = (c: Context<RegistryEnv>, page: number): string => {
  const url = new URL(c.req.url);
  for (const name of [...url.searchParams.keys()]) if (name.startsWith('_')) url.searchParams.delete(name);
  url.searchParams.set('page', String(page));
  return url.href;
};
