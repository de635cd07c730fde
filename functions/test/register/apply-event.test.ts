import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRegisterDigests } from '../../src/adapters/postgres/register-reader.ts';
import { makeRowStore } from '../../src/adapters/postgres/row-store.ts';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { tryDigest } from '../../src/domain/member/digest.ts';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import { differingBuckets } from '../../src/proof/compare.ts';
import { applyEvent } from '../../src/register/register.ts';
import { makeRegisterLogs } from '../../src/register/register-logs.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { referTo } from '../support/servers.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';
import { sumsOf, withDigest } from '../support/sums.ts';
import { makePages } from './support/make-pages.ts';

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack({ members: 1 });
});
afterEach(async () => {
  await stack.close();
});

const [KENNITALA = ''] = makeKennitalas(1);

const apply = (body: object, kennitala = KENNITALA) =>
  applyEvent(parseMemberChange({ kennitala, ...body }), {
    rows: makeRowStore(stack.database),
    referTo,
    logs: makeRegisterLogs(stack.dependencies.log),
    now: stack.dependencies.now,
  });

const event = (action: 'create' | 'update' | 'delete', version: number | null, name = `Name ${version}`) =>
  apply({ action, version, data: action === 'delete' ? null : { id: 5, kennitala: KENNITALA, name } });

const row = async () => (await stack.members())[0];

describe('an event of the registry', () => {
  it('adds, updates, deactivates and reactivates one row, with one log row of type webhook each', async () => {
    expect(await event('create', 1)).toBe('applied');
    const first = await row();
    expect(await event('update', 2)).toBe('applied');
    expect(await event('delete', 3)).toBe('applied');
    expect(await row()).toMatchObject({ id: first?.id, is_active: false, removed_at: expect.any(Date) });
    expect(await event('create', 4)).toBe('applied');
    expect(await row()).toMatchObject({ id: first?.id, is_active: true, removed_at: null, name: 'Name 4' });
    expect(
      (await stack.syncLog()).map(({ sync_type, members_added, members_removed, details }) => [
        sync_type,
        members_added,
        members_removed,
        details['kind'],
      ]),
    ).toEqual([
      ['webhook', 1, 0, 'added'],
      ['webhook', 0, 0, 'updated'],
      ['webhook', 0, 1, 'removed'],
      ['webhook', 1, 0, 'reactivated'],
    ]);
  });

  it('takes no number of the id sequence for a row that exists', async () => {
    await event('create', 1);
    const taken = async () =>
      (await stack.postgres.sql<{ last_value: unknown }>('select last_value from public.members_id_seq'))[0];
    const before = await taken();
    for (const version of [2, 3, 4, 5]) expect(await event('update', version)).toBe('applied');
    await event('delete', 6);
    expect(await event('create', 7)).toBe('applied');
    expect(await taken()).toEqual(before);
    expect(await row()).toMatchObject({ name: 'Name 7', is_active: true });
  });

  it('that is older than the row, or as old, changes nothing', async () => {
    await event('create', 5);
    for (const version of [4, 5]) {
      expect(await event('update', version, 'Late')).toBe('stale');
      expect(await event('delete', version)).toBe('stale');
    }
    expect(await row()).toMatchObject({ name: 'Name 5', is_active: true });
  });

  it('brings nobody back whom a run found gone, whatever deletion is told of since: the next run does', async () => {
    // As a run leaves it: it knows no version of a deletion that nobody announced.
    const findGone = () =>
      stack.postgres.sql(
        'update public.members set is_active = false, removed_at = now() where kennitala = $1',
        [KENNITALA],
      );
    await event('create', 1);
    // That the version of an earlier deletion is known says nothing about this one.
    await event('delete', 2);
    expect(await event('create', 3)).toBe('applied');
    await findGone();
    for (const action of ['update', 'create'] as const) expect(await event(action, 5)).toBe('skipped');
    expect(await row()).toMatchObject({ is_active: false, name: 'Name 3' });
    expect(await event('delete', 9)).toBe('unchanged');
    expect(await event('update', 8)).toBe('stale');
    expect(await event('create', 10)).toBe('skipped');
    expect(await row()).toMatchObject({ is_active: false });
  });

  it('of a deletion that comes first keeps the older creation out, and no newer one', async () => {
    expect(await event('delete', 2)).toBe('unchanged');
    expect(await event('create', 1)).toBe('stale');
    // Nobody has been removed, and nothing of the member is held but that they are gone.
    expect(await stack.syncLog()).toEqual([]);
    expect(await row()).toMatchObject({ name: '', email: null, phone: null, external_id: null });
    expect(await row()).toMatchObject({ is_active: false, removed_at: expect.any(Date) });
    expect(await event('create', 3)).toBe('applied');
    expect(await row()).toMatchObject({ is_active: true, removed_at: null, name: 'Name 3' });
  });

  it('of a deletion keeps out whom a run had read before it, though the register never had them', async () => {
    const others = makeKennitalas(3, 10).map((kennitala, n) => ({ id: 100 + n, kennitala, name: 'Other' }));
    const pages = {
      pages: async function* () {
        yield { members: [{ id: 5, kennitala: KENNITALA, name: 'Gone', version: 1 }, ...others], count: 4 };
        stack.advance(1_000);
        await event('delete', 2);
      },
    };
    const { record } = await stack.run(undefined, { pages });
    expect(record).toMatchObject({ outcome: 'published', changes: { added: 3, removed: 0 } });
    const rows = await stack.members();
    expect(rows.find(({ kennitala }) => kennitala === KENNITALA)?.is_active).toBe(false);
  });

  it('stores no placeholder', async () => {
    const change = parseMemberChange({
      kennitala: '9999123459',
      action: 'create',
      version: 1,
      data: { kennitala: '9999123459', name: 'x' },
    });
    const dependencies = {
      rows: makeRowStore(stack.database),
      referTo,
      logs: makeRegisterLogs(stack.dependencies.log),
      now: stack.dependencies.now,
    };
    expect(await applyEvent(change, dependencies)).toBe('skipped');
    expect(await stack.members()).toEqual([]);
  });

  it('without a version is what its sender just read', async () => {
    await event('create', 7);
    expect(await event('update', null, 'Just read')).toBe('applied');
    expect(await row()).toMatchObject({ name: 'Just read', metadata: { version: 7 } });
  });

  it.each([
    ['left', 'delete'],
    ['stayed', 'update'],
  ] as const)('in any order and with any repetition ends as the newest says: they %s', async (_, last) => {
    const wire = (version: number) => withDigest({ id: 5, kennitala: KENNITALA, name: `Name ${version}` });
    const history = [1, 2, 3, 4, 5, 6].map((version) => ({
      version,
      action: version === 1 ? ('create' as const) : version === 6 ? last : ('update' as const),
    }));
    const order = fc.shuffledSubarray([...history, ...history], { minLength: 12 });
    const digests = makeRegisterDigests(stack.database);
    const newest = [KENNITALA as Kennitala, tryDigest(wire(6).digest)] as const;
    const inRegistry = sumsOf(last === 'delete' ? [] : [newest]);
    await fc.assert(
      fc.asyncProperty(order, async (events) => {
        await stack.postgres.sql('delete from public.members');
        for (const { action, version } of events)
          await apply({ action, version, data: action === 'delete' ? null : wire(version) });
        expect(await row()).toMatchObject({ is_active: last !== 'delete', metadata: { version: 6 } });
        expect(differingBuckets(inRegistry, await digests.sums())).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it('that comes while a run is reading is not undone by what the run had read before', async () => {
    const member = { id: 5, kennitala: KENNITALA, name: 'Old', version: 1 };
    const others = makeKennitalas(3, 10).map((kennitala, n) => ({ id: 100 + n, kennitala, name: 'Other' }));
    await stack.run(undefined, { pages: makePages([member, ...others]) });
    const [newcomer = ''] = makeKennitalas(1, 500);
    const pages = {
      pages: async function* () {
        yield { members: [member, ...others], count: 4 };
        stack.advance(1_000);
        await event('update', 2, 'New');
        const data = { id: 6, kennitala: newcomer, name: 'Newcomer' };
        await apply({ action: 'create', version: 3, data }, newcomer);
      },
    };
    stack.advance(1_000);
    const { record } = await stack.run(undefined, { pages });
    expect(record.changes).toMatchObject({ updated: 0, removed: 0 });
    const rows = await stack.members();
    expect(rows.find(({ kennitala }) => kennitala === KENNITALA)?.name).toBe('New');
    expect(rows.find(({ kennitala }) => kennitala === newcomer)?.is_active).toBe(true);
  });
});
