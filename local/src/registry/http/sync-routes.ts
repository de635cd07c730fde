import type { Hono } from 'hono';
import { z } from 'zod';
import { applyChange, applyRequest } from '../apply/apply-changes.ts';
import type { ChangeEntry } from '../journal.ts';
import { applyAsLegacy, OLD_QUEUE_STARTS_AT } from '../legacy/legacy-registry.ts';
import { type Digests, SCHEME } from '../members/digests.ts';
import { asPatch } from '../members/wire-member.ts';
import type { RegistryState } from '../state/registry-state.ts';
import { methodNotAllowed, readBody } from './answers.ts';
import type { RegistryEnv } from './env.ts';
import { timeQuery } from './member-routes.ts';

const markSyncedRequest = z.object({ sync_ids: z.array(z.number().int()) });

/** The calls of the change queue and of the way back. */
export const addSyncRoutes = (
  app: Hono<RegistryEnv>,
  state: RegistryState,
  digests: Digests,
  companion: () => boolean,
  isLegacy: () => boolean,
): void => {
  app.get('/api/sync/changes/', (c) => {
    const since = timeQuery(c, 'since');
    if (since === null) return c.json({ since: ['Enter a valid date/time.'] }, 400);
    const onWire = isLegacy() ? oldRowOnWire : changeOnWire;
    const changes = state.outbox.pending(since).map((change) => onWire(state, change));
    return c.json({ changes, count: changes.length });
  });
  app.all('/api/sync/changes/', methodNotAllowed('GET, HEAD'));

  app.post('/api/sync/apply/', async (c) => {
    const body = await readBody(c, applyRequest);
    if (body instanceof Response) return body;
    const results = body.changes.map((change) =>
      isLegacy() ? applyAsLegacy(state, change) : applyChange(state, change, companion()),
    );
    return c.json({ results });
  });
  app.all('/api/sync/apply/', methodNotAllowed('POST'));

  app.get('/api/sync/digests/', (c) => {
    if (!companion()) return c.notFound();
    return c.json({ scheme: SCHEME, newest_version: state.outbox.lastId, buckets: digests.sums() });
  });
  app.all('/api/sync/digests/', methodNotAllowed('GET, HEAD'));

  app.post('/api/sync/mark-synced/', async (c) => {
    const body = await readBody(c, markSyncedRequest);
    if (body instanceof Response) return body;
    const ids = !isLegacy() ? body.sync_ids : body.sync_ids.map((id) => id - OLD_QUEUE_STARTS_AT);
    return c.json({ success: true, marked_synced: state.markSynced(ids) });
  });
  app.all('/api/sync/mark-synced/', methodNotAllowed('POST'));

  app.get('/api/sync/status/', (c) => {
    const { pending, synced, oldestPending } = state.outbox.counts();
    return c.json({ pending, synced, failed: 0, oldest_pending: oldestPending });
  });
  app.all('/api/sync/status/', methodNotAllowed('GET, HEAD'));
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
