import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { applyChange, applyRequest } from './apply.ts';
import { makeControlRoutes } from './control-routes.ts';
import type { Controls, Settings } from './controls.ts';
import { BUCKETS, type Digests, makeDigests, SCHEME, withDigest } from './digests.ts';
import { dropEvenly, makeListExport } from './directory.ts';
import type { FaultPlan } from './faults.ts';
import { faultyContent, faultyTransport, type RegistryEnv } from './faulty-answers.ts';
import type { ChangeEntry } from './journal.ts';
import { applyAsLegacy, type LegacyRegistry, OLD_QUEUE_STARTS_AT } from './legacy.ts';
import type { RegistryState } from './state.ts';
import { asPatch, type WireMember } from './wire-member.ts';

export interface AppOptions {
  readonly state: RegistryState;
  readonly plan: FaultPlan;
  readonly settings: Settings;
  readonly controls: Controls;
  readonly legacy: LegacyRegistry;
  readonly authScheme: 'Token' | 'Bearer';
}

/**
 * The registry over HTTP, with the errors of Django REST framework in its own words. Faults stand before the token check,
 * as the proxy and the login page do in production.
 */
export const makeRegistryApp = (options: AppOptions): Hono<RegistryEnv> => {
  const { state, plan, controls } = options;
  const app = new Hono<RegistryEnv>();
  app.route('/_control', makeControlRoutes(controls));
  app.use('/api/*', faultyTransport(plan), compress(), faultyContent, tokenAuth(options));
  const digests = makeDigests(state.directory);
  addMemberRoutes(app, options, digests);
  addSyncRoutes(app, options, digests);

  app.notFound((c) => c.json({ detail: 'Not found.' }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    // The stack goes to the developer's terminal; the data are made up, but the answer stays as bare as production's.
    console.error(error);
    return c.json({ detail: 'A server error occurred.' }, 500);
  });
  return app;
};

/** Django REST framework's TokenAuthentication: 401 with `WWW-Authenticate` for a missing and for a wrong token. */
const tokenAuth =
  ({ authScheme, settings }: AppOptions): MiddlewareHandler<RegistryEnv> =>
  async (c, next) => {
    const [scheme, given, ...rest] = (c.req.header('authorization') ?? '').split(' ');
    const isMissing = scheme?.toLowerCase() !== authScheme.toLowerCase();
    if (!isMissing && given === settings.token && rest.length === 0) return next();
    c.header('WWW-Authenticate', authScheme);
    const detail = isMissing ? 'Authentication credentials were not provided.' : 'Invalid token.';
    return c.json({ detail }, 401);
  };

const DEFAULT_PAGE_SIZE = 500;
const MAX_PAGE_SIZE = 1000;

/** The calls that read members: the list export, the pages and one member. */
const addMemberRoutes = (
  app: Hono<RegistryEnv>,
  { state: { directory }, settings, legacy }: AppOptions,
  digests: Digests,
): void => {
  const listExport = makeListExport(directory);
  const onWire = (index: number): Omit<WireMember, 'version'> => {
    const member = directory.member(index);
    if (settings.companion) return withDigest(member);
    const { version: _version, ...plain } = member;
    return plain;
  };

  app.get('/api/members/kennitalas/', (c) =>
    c.body(listExport(c.var.fault.drop ?? 0, new Date()), 200, { 'Content-Type': 'application/json' }),
  );

  app.get('/api/members/', (c) => {
    const since = timeQuery(c, 'modified_since');
    const bucket = settings.companion ? bucketQuery(c) : undefined;
    const live = bucket === undefined ? directory.live() : digests.rowsOf(bucket);
    const all = dropEvenly(live, c.var.fault.drop ?? 0);
    const rows =
      since === undefined ? all : all.filter((index) => Date.parse(directory.modifiedAt(index)) >= since);
    // As the framework does, a page size that is not a positive number counts as absent.
    const size = Math.min(MAX_PAGE_SIZE, naturalOf(c.req.query('page_size')) ?? DEFAULT_PAGE_SIZE);
    const last = Math.max(1, Math.ceil(rows.length / size));
    const page = naturalOf(c.req.query('page') ?? '1') ?? 0;
    if (page < 1 || page > last) return c.json({ detail: 'Invalid page.' }, 404);
    return c.json({
      count: rows.length,
      next: page < last ? pageUrl(c, page + 1) : null,
      previous: page > 1 ? pageUrl(c, page - 1) : null,
      results: Array.from(rows.subarray((page - 1) * size, page * size), onWire),
    });
  });

  app.get('/api/sync/member/:ssn/', async (c) => {
    const index = directory.find(c.req.param('ssn'));
    const missing = { error: 'Member not found' };
    if (legacy.isOn()) {
      const member = index === null ? null : await legacy.read(index, directory);
      return member === null ? c.json(missing, 404) : c.json(member);
    }
    if (index === null || !directory.isLive(index)) return c.json(missing, 404);
    return c.json(onWire(index));
  });
};

const markSyncedRequest = z.object({ sync_ids: z.array(z.number().int()) });

/** The calls of the change queue and of the way back. */
const addSyncRoutes = (
  app: Hono<RegistryEnv>,
  { state, settings, legacy }: AppOptions,
  digests: Digests,
): void => {
  app.get('/api/sync/changes/', (c) => {
    const since = timeQuery(c, 'since');
    const onWire = legacy.isOn() ? oldRowOnWire : changeOnWire;
    const changes = state.outbox.pending(since).map((change) => onWire(state, change));
    return c.json({ changes, count: changes.length });
  });

  app.post('/api/sync/apply/', async (c) => {
    const body = await readBody(c, applyRequest);
    const results = body.changes.map((change) =>
      legacy.isOn() ? applyAsLegacy(state, change) : applyChange(state, change, settings.companion),
    );
    return c.json({ results });
  });

  app.get('/api/sync/digests/', (c) => {
    if (!settings.companion) return c.notFound();
    return c.json({ scheme: SCHEME, newest_version: state.outbox.lastId, buckets: digests.sums() });
  });

  app.post('/api/sync/mark-synced/', async (c) => {
    const body = await readBody(c, markSyncedRequest);
    const ids = !legacy.isOn() ? body.sync_ids : body.sync_ids.map((id) => id - OLD_QUEUE_STARTS_AT);
    return c.json({ success: true, marked_synced: state.markSynced(ids) });
  });

  app.get('/api/sync/status/', (c) => {
    const { pending, synced, oldestPending } = state.outbox.counts();
    return c.json({ pending, synced, failed: 0, oldest_pending: oldestPending });
  });
};

/** Ids of the old queue have nothing to do with a member's versions, and its times no offset. */
const oldRowOnWire = (state: RegistryState, change: ChangeEntry) => {
  const row = changeOnWire(state, change);
  return { ...row, id: row.id + OLD_QUEUE_STARTS_AT, created_at: row.created_at.replace('Z', '') };
};

/** An update shows the fields that it changed, a create the whole member, a delete nothing. */
const changeOnWire = ({ directory }: RegistryState, { id, index, action, patch, at }: ChangeEntry) => ({
  id,
  ssn: directory.ssn(index),
  action,
  fields_changed: action === 'create' ? asPatch(directory.member(index)) : patch,
  created_at: at,
});

/** A refusal in Django REST framework's own words. */
const refusal = (status: 400 | 415, answer: object): HTTPException =>
  new HTTPException(status, { res: Response.json(answer, { status }) });

/** Milliseconds of an ISO 8601 query value; undefined when absent. @throws HTTPException when it is not a time */
const timeQuery = (c: Context<RegistryEnv>, name: string): number | undefined => {
  const text = c.req.query(name);
  if (text === undefined || text === '') return undefined;
  // A plus that was not escaped arrives as a space; Django's parser would refuse it too, without saying why.
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw refusal(400, { [name]: ['Enter a valid date/time.'] });
  return time;
};

/** @throws HTTPException when it is none */
const bucketQuery = (c: Context<RegistryEnv>): number | undefined => {
  const text = c.req.query('bucket');
  if (text === undefined || (/^\d{1,3}$/.test(text) && Number(text) < BUCKETS))
    return text === undefined ? text : Number(text);
  throw refusal(400, { error: `bucket must be a whole number below ${BUCKETS}` });
};

const naturalOf = (text = ''): number | undefined => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);

/** This request's address with another page. */
const pageUrl = (c: Context<RegistryEnv>, page: number): string => {
  const url = new URL(c.req.url);
  url.searchParams.set('page', String(page));
  return url.href;
};

/** The JSON body under a schema. @throws HTTPException with one entry a path, and messages that name no value */
const readBody = async <T>(c: Context<RegistryEnv>, schema: z.ZodType<T>): Promise<T> => {
  const type = c.req.header('content-type') ?? '';
  if (!/^application\/json\b/i.test(type)) {
    throw refusal(415, { detail: `Unsupported media type "${type}" in request.` });
  }
  const body: unknown = await c.req.json().catch(() => {
    throw refusal(400, { detail: 'JSON parse error - the body is not JSON.' });
  });
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => [path.map(String).join('.'), [message]]);
  throw refusal(400, Object.fromEntries(errors));
};
