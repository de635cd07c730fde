import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDatabase } from '../../src/adapters/postgres/make-database.ts';
import { erasePerson } from '../../src/ops/erase-person.ts';
import { startDatabase } from '../register/support/test-database.ts';
import { type Body, type OpsStack, startOpsStack } from '../support/api-stack.ts';
import { BUCKET } from '../support/servers.ts';
import { everythingHeld, joinEverywhere, leaveEverywhere, type Traces } from './support/leave-traces.ts';

const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const ALWAYS = 1_000;

let ops: OpsStack;
beforeEach(async () => {
  ops = await startOpsStack({ members: 20 });
});
afterEach(async () => {
  await ops.close();
});

const erase = async (kennitala: string, stack = ops): Promise<Body> => {
  const { status, body } = await stack.call('POST', '/erase', { kennitala, reason: 'asked for it' });
  expect(status).toBe(200);
  return body;
};
const rowOf = (body: Body, store: string) => body.stores.find((row: Body) => row.store === store);
const othersOf = (body: Body, store: string) => body.stores.filter((row: Body) => row.store !== store);
const isDone = (rows: Body) => rows.every(({ found, erased, left }: Body) => found === erased && left === 0);
const gone = async (stack = ops): Promise<Traces> => {
  const traces = await joinEverywhere(stack);
  await leaveEverywhere(stack, traces);
  return traces;
};
const asText = (request: unknown) => JSON.stringify(request);
const list = () => ops.storageClient.bucket(BUCKET);

describe('what writers of others read of a person', () => {
  it('is erased before the others are looked through: an edit under way is refused, or its item found', async () => {
    const { kennitala } = await gone();
    const deletions: string[] = [];
    const forget = ops.firestore.failNext({
      code: PERMISSION_DENIED,
      method: 'commit',
      matches: (request) => {
        const deleted = asText(request).matchAll(/"delete":"[^"]*\/documents\/([^/"]+)/g);
        deletions.push(...[...deleted].map(([, collection = '']) => collection));
        return false;
      },
    });
    expect((await erase(kennitala)).absent).toBe(true);
    forget();
    expect(deletions).toContain('sync_queue');
    expect(deletions.lastIndexOf('members')).toBeLessThan(deletions.indexOf('sync_queue'));
    expect(deletions.lastIndexOf('webhook_hints')).toBeLessThan(deletions.indexOf('members'));
  });
});

describe('a store that fails keeps the others from nothing, and proves nothing', () => {
  it.each([
    ['sync_queue', 'runAggregationQuery', 'sync_queue'],
    ['sync_conflicts', 'runQuery', 'sync_conflicts'],
    ['sync_audit/*/changes', 'runQuery', 'addedKennitalas'],
    ['webhook_receipts', 'runAggregationQuery', 'webhook_receipts'],
  ] as const)('%s, when Firestore refuses %s', async (store, method, named) => {
    const { kennitala } = await gone();
    const mend = ops.firestore.failNext({
      code: PERMISSION_DENIED,
      method,
      times: ALWAYS,
      matches: (request) => asText(request).includes(named),
    });
    const body = await erase(kennitala);
    expect(body.absent).toBe(false);
    expect(rowOf(body, store)).toMatchObject({ code: 'store_unavailable' });
    expect(rowOf(body, store).left).not.toBe(0);
    expect(isDone(othersOf(body, store))).toBe(true);

    mend();
    const again = await erase(kennitala);
    expect(again.absent).toBe(true);
    expect(await everythingHeld(ops)).not.toContain(kennitala);
  });

  it('Cloud Storage, with its copies not known either', async () => {
    const { kennitala } = await gone();
    const down = ops.storage.failNext({ stage: 'before', answer: 403, times: ALWAYS, matches: () => true });
    const body = await erase(kennitala);
    const row = { found: null, erased: null, left: null, code: 'storage_rejected' };
    expect(rowOf(body, 'versions of the list')).toMatchObject(row);
    expect(body.softDeleted).toEqual({ state: 'unknown', code: 'storage_rejected' });
    expect(body.absent).toBe(false);
    expect(isDone(othersOf(body, 'versions of the list'))).toBe(true);
    down.disarm();
    expect((await erase(kennitala)).absent).toBe(true);
  });

  it('no absence without the time at which the last copy expires', async () => {
    const { kennitala } = await gone();
    const matches = ({ query }: { query: URLSearchParams }) => query.get('softDeleted') === 'true';
    const down = ops.storage.failNext({ stage: 'before', answer: 403, times: ALWAYS, matches });
    const body = await erase(kennitala);
    expect(isDone(body.stores)).toBe(true);
    expect([body.absent, body.softDeleted.state]).toEqual([false, 'unknown']);
    down.disarm();
    expect((await erase(kennitala)).absent).toBe(true);
  });

  it('the register, whose rows stand in the answer as not known', async () => {
    const postgres = await startDatabase();
    const database = makeDatabase({ target: { kind: 'url', url: postgres.url } });
    const stack = await startOpsStack({
      members: 20,
      database,
    });
    try {
      const { kennitala } = await gone(stack);
      await postgres.sql(
        `insert into public.members (kennitala, name, is_active) values ($1, 'One', false)`,
        [kennitala],
      );
      await postgres.sql('alter table public.schema_migrations rename to elsewhere');
      const body = await erase(kennitala, stack);
      expect(body).toMatchObject({ absent: false, hasRegister: true });
      const rows = body.stores.filter(({ store }: Body) => store.startsWith('public.'));
      expect(rows).toHaveLength(5);
      for (const row of rows) expect(row).toMatchObject({ left: null, code: 'schema_outdated' });
      expect(rows.length + body.stores.filter(({ left }: Body) => left === 0).length).toBe(
        body.stores.length,
      );

      await postgres.sql('alter table public.elsewhere rename to schema_migrations');
      const again = await erase(kennitala, stack);
      expect(again.absent).toBe(true);
      expect(rowOf(again, 'public.members')).toMatchObject({ found: 1, erased: 1, left: 0 });
      expect(await postgres.sql('select 1 from public.members')).toEqual([]);
    } finally {
      await stack.close();
      await database.close();
      await postgres.close();
    }
  });

  it('an active row of the register refuses the whole erasure', async () => {
    const postgres = await startDatabase();
    const database = makeDatabase({ target: { kind: 'url', url: postgres.url } });
    const stack = await startOpsStack({ members: 20, database });
    try {
      const { kennitala } = await gone(stack);
      await postgres.sql(`insert into public.members (kennitala, name) values ($1, 'One')`, [kennitala]);
      const { status, body } = await stack.call('POST', '/erase', { kennitala, reason: 'asked for it' });
      expect([status, body.code]).toEqual([409, 'still_published']);
      expect(body.detail).toContain('register');
    } finally {
      await stack.close();
      await database.close();
      await postgres.close();
    }
  });
});

describe('what happens meanwhile', () => {
  const deletesOf = ({ method, path }: { method: string; path: string }) =>
    method === 'DELETE' && path.includes('kennitalas.txt');

  it('a version that somebody else deletes first is gone all the same', async () => {
    const { kennitala } = await gone();
    const held = ops.storage.holdNext(deletesOf, 'before');
    const erasing = erase(kennitala);
    await held.reached;
    const [versions] = await list().getFiles({ versions: true });
    const old = versions.find(({ metadata }) => metadata.timeDeleted !== undefined);
    await list()
      .file('kennitalas.txt', { generation: String(old?.metadata.generation) })
      .delete();
    held.release();
    const body = await erasing;
    expect(rowOf(body, 'versions of the list')).toMatchObject({ found: 1, erased: 0, left: 0, code: null });
    expect(body.absent).toBe(true);
  });

  it('a deletion whose answer was lost is proved by the reading that follows', async () => {
    const { kennitala } = await gone();
    ops.storage.failNext({ stage: 'after', answer: 'destroy', matches: deletesOf });
    ops.firestore.failNext({
      code: PERMISSION_DENIED,
      method: 'commit',
      when: 'after',
      matches: (request) => /"delete":"[^"]*\/members\//.test(asText(request)),
    });
    const body = await erase(kennitala);
    expect(rowOf(body, 'members')).toEqual({
      store: 'members',
      found: 1,
      erased: null,
      left: 0,
      code: 'store_unavailable',
    });
    // The client asked again and was told that the version is gone.
    expect(rowOf(body, 'versions of the list')).toMatchObject({ left: 0, code: null });
    expect(body.absent).toBe(true);
    expect(await everythingHeld(ops)).not.toContain(kennitala);
  });

  it('a list that its time to live ended first is looked for again, and is no failure', async () => {
    const { kennitala } = await gone();
    let struck = 0;
    const matches = (request: unknown) => {
      const isOfList = /"update":.*\/changes\//.test(asText(request));
      if (isOfList) struck += 1;
      return isOfList;
    };
    ops.firestore.failNext({ code: NOT_FOUND, method: 'commit', matches });
    const body = await erase(kennitala);
    expect(struck).toBe(1);
    expect(rowOf(body, 'sync_audit/*/changes')).toMatchObject({ erased: 2, left: 0, code: null });
    expect(body.absent).toBe(true);
  });

  it('somebody who became a member again keeps their document, when that was not seen at the start', async () => {
    const { kennitala } = await gone();
    await ops.db.collection('members').doc(kennitala).update({ 'membership.status': 'active' });
    ops.firestore.failNext({
      code: PERMISSION_DENIED,
      method: 'batchGetDocuments',
      matches: (request) => asText(request).includes(`members/${kennitala}`),
    });
    const body = await erase(kennitala);
    expect(rowOf(body, 'members')).toMatchObject({ left: 1, code: 'still_published' });
    expect(body.absent).toBe(false);
  });

  it('the current list is never deleted, when the number was not seen in it at the start', async () => {
    const { kennitala } = await gone();
    const current = `${await ops.file()}${kennitala}\n`;
    await list().file('kennitalas.txt').save(current, { resumable: false });
    ops.storage.failNext({
      stage: 'before',
      answer: 403,
      matches: ({ method, path }) => method === 'GET' && path.endsWith('/kennitalas.txt'),
    });
    const body = await erase(kennitala);
    const row = { found: 2, erased: null, left: 1, code: 'still_published' };
    expect(rowOf(body, 'versions of the list')).toMatchObject(row);
    expect(body.absent).toBe(false);
    expect(await ops.file()).toBe(current);
  });

  it('an erasure that runs out of time says what is left, and the next one goes on', async () => {
    const { kennitala } = await gone();
    const request = { kennitala, reason: 'asked for it', dryRun: false } as const;
    const by = { by: 'operator', byKind: 'person', requestId: 'request-1' } as const;
    const registrySignal = AbortSignal.timeout(5_000);
    const late = await erasePerson(
      { ...request, by, registrySignal, signal: AbortSignal.abort() },
      ops.dependencies.erase,
    );
    expect(late.absent).toBe(false);
    expect(rowOf(late, 'sync_audit/*/changes')).toMatchObject({ left: 2, code: 'deadline_exceeded' });
    expect(rowOf(late, 'versions of the list')).toMatchObject({ left: null, code: 'deadline_exceeded' });
    expect((await erase(kennitala)).absent).toBe(true);
  });

  it('a failure is logged by its code and place, without the number', async () => {
    const { kennitala } = await gone();
    ops.firestore.failNext({ code: PERMISSION_DENIED, method: 'runAggregationQuery', times: 1 });
    await erase(kennitala);
    const entry = ops.logs.find(({ fields }) => fields['event'] === 'erase_failed');
    expect(entry).toMatchObject({ severity: 'ERROR', fields: { code: 'store_unavailable' } });
    expect(JSON.stringify(ops.logs)).not.toContain(kennitala);
  });
});
