import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PortalWriter } from '../../../src/portal/ports.ts';
import type { PortalMirrorDependencies } from '../../../src/portal/reconcile/portal-mirror.ts';
import type { MemberPagesOptions } from '../../../src/registry/ports.ts';
import { type ReconcileStack, startReconcileStack, takingOnly } from '../../support/stack.ts';
import { countMemberWrites, expectEqual } from './support/equality.ts';

const MEMBERS = 40;
const PAGE = 5;
const HOUR_MS = 3_600_000;

let stack: ReconcileStack;
/** The first members that were asked for, a page. */
let asked: string[];
let documentsRead: number;

beforeEach(async () => {
  stack = await startReconcileStack({ members: MEMBERS, mayBeInMemory: true });
  asked = [];
  documentsRead = 0;
});
afterEach(async () => {
  await stack.close();
});

/** Pages of five, and too many differences to be kept; what a run reads is noted. */
const small = (
  given: Partial<PortalMirrorDependencies> = {},
): { portal: Partial<PortalMirrorDependencies> } => ({
  portal: {
    keptWrites: 5,
    pages: {
      pages: async function* (options: MemberPagesOptions) {
        for await (const page of stack.portal.pages.pages({ ...options, pageSize: PAGE })) {
          asked.push(page.place?.query['page'] ?? '');
          yield page;
        }
      },
    },
    index: {
      ...stack.portal.index,
      documents: async function* (options) {
        for await (const document of stack.portal.index.documents(options)) {
          documentsRead += 1;
          yield document;
        }
      },
    },
    ...given,
  },
});

const writerFor = (count: number): PortalWriter => takingOnly(count, stack.portal.writer);

const run = (given: Partial<PortalMirrorDependencies> = {}) => stack.run({ trigger: 'http' }, small(given));
const state = async () => (await stack.db.doc('sync_state/portal').get()).data();

/** A first load of which 23 writes were made: four pages and a part of the fifth. */
const halfLoaded = async () => {
  const first = await run({ writer: writerFor(23) });
  expect(first.record).toMatchObject({
    outcome: 'partial',
    errorCode: 'deadline_exceeded',
    memberCount: 23,
    unfinished: { added: 17, removed: 0, updated: 0 },
  });
  expect((await state())?.['cursor']).toMatchObject({ scheme: 1, run: 'run-001', place: { before: 15 } });
  asked = [];
  documentsRead = 0;
  return first.record;
};

describe('a load that takes several runs', () => {
  it('is gone on with where it was, and reads neither the portal nor the finished pages again', async () => {
    const first = await halfLoaded();
    const writes = countMemberWrites(stack);
    const { record } = await run();
    expect(record).toMatchObject({
      outcome: 'published',
      planId: first.planId,
      memberCount: MEMBERS,
      changes: { added: 17, removed: 0, updated: 0 },
      guard: { tripped: false },
      overtaken: 0,
    });
    expect(record.warnings).toEqual([
      {
        code: 'load_continued',
        message: 'Goes on with the plan of run run-001, after 15 of 40 members; those are not read again.',
      },
    ]);
    // The fourth page says where the fifth begins: once to see that it is still so, once to go on.
    expect(asked).toEqual(['4', '4', '5', '6', '7', '8']);
    expect(documentsRead).toBe(0);
    expect(writes()).toBe(17);
    expect(await state()).toMatchObject({ cursor: null, unfinished: null });
    await expectEqual(stack);
    expect((await run()).record).toMatchObject({ outcome: 'unchanged', warnings: [] });
  });

  it.each([
    ['at once', 100],
    ['page by page', 5],
  ])('%s: what is left of each kind is what the next run does', async (_what, keptWrites) => {
    await run();
    for (const id of [1, 2, 3, 4]) stack.registry.updateMember(id, { name: `Renamed Person ${id}` });
    for (const id of [5, 6, 7]) stack.registry.deleteMember(id);
    stack.registry.createMember();
    stack.registry.createMember();
    const { record: first } = await run({ keptWrites, writer: writerFor(5) });
    expect(first).toMatchObject({ outcome: 'partial', changes: { added: 2, removed: 3, updated: 4 } });
    const { added = 0, removed = 0, updated = 0 } = first.unfinished ?? {};
    expect(added + removed + updated).toBe(4);
    expect(first.memberCount).toBe(MEMBERS + (2 - added) - (3 - removed));
    const { record: second } = await run({ keptWrites });
    expect(second).toMatchObject({
      outcome: 'published',
      memberCount: 39,
      changes: { added, removed, updated },
    });
    await expectEqual(stack);
  });

  it('takes as many runs as it needs', async () => {
    await halfLoaded();
    expect((await run({ writer: writerFor(6) })).record).toMatchObject({
      outcome: 'partial',
      memberCount: 29,
      unfinished: { added: 11 },
    });
    asked = [];
    expect((await run({ writer: writerFor(6) })).record).toMatchObject({ unfinished: { added: 5 } });
    expect(asked[0]).toBe('5');
    expect((await run()).record).toMatchObject({ outcome: 'published', changes: { added: 5 } });
    await expectEqual(stack);
  });

  it('goes on after its process died, from what it had remembered', async () => {
    const pages = small().portal.pages;
    const slowly: PortalMirrorDependencies['pages'] = {
      pages: async function* (options) {
        for await (const page of pages?.pages(options) ?? []) {
          stack.clock.advance(20_000);
          yield page;
        }
      },
    };
    const dies: PortalWriter = {
      write: async (writes, options) => {
        let left = 23;
        for await (const write of writes) {
          const one = async function* () {
            yield write;
          };
          await stack.portal.writer.write(one(), options);
          left -= 1;
          if (left > 0) continue;
          stack.firestore.failNext({ method: 'commit', code: status.PERMISSION_DENIED });
          throw new Error('The process died.');
        }
      },
    };
    await expect(run({ pages: slowly, writer: dies })).rejects.toMatchObject({
      code: 'audit_unavailable',
    });
    expect(await state()).toMatchObject({ cursor: { run: 'run-001' }, unfinished: { added: 20 } });
    stack.clock.advance(150_001);
    asked = [];
    documentsRead = 0;
    const { record } = await run();
    expect(record).toMatchObject({ outcome: 'published', memberCount: MEMBERS });
    expect(documentsRead).toBe(0);
    expect(asked).not.toContain('1');
    await expectEqual(stack);
    expect((await stack.db.doc('sync_audit/run-001').get()).get('errorCode')).toBe('abandoned');
  });

  it('carries updates and removals too: removals first, so that none is left before the cursor', async () => {
    await run();
    stack.clock.advance(HOUR_MS);
    for (let id = 1; id <= 30; id += 1) stack.registry.updateMember(id);
    stack.registry.deleteMember(40);
    expect((await run({ writer: writerFor(20) })).record).toMatchObject({
      outcome: 'partial',
      unfinished: { added: 0, removed: 0, updated: 11 },
    });
    expect((await run()).record).toMatchObject({ outcome: 'published', memberCount: MEMBERS - 1 });
    await expectEqual(stack);
  });
});

describe('a registry that changed between two runs of a load is noticed', () => {
  const moved = { status: 'error', outcome: 'partial', errorCode: 'load_moved' };

  /** What was left is written, the next run compares everybody, and the portal is equal in the end. */
  const expectMovedAndMended = async () => {
    expect((await run()).record).toMatchObject(moved);
    expect(await state()).toMatchObject({ cursor: null });
    documentsRead = 0;
    expect((await run()).record.outcome).toMatch(/published|unchanged/);
    expect(documentsRead).toBeGreaterThan(0);
    await expectEqual(stack);
  };

  it.each<[string, () => unknown]>([
    ['a member who was not written yet changed', () => stack.registry.updateMember(33)],
    ['one was created', () => stack.registry.createMember()],
    [
      'one of the finished pages was deleted, so that everybody moved up',
      () => stack.registry.deleteMember(2),
    ],
    ['one who was not written yet was deleted', () => stack.registry.deleteMember(33)],
  ])('%s', async (_what, change) => {
    await halfLoaded();
    change();
    await expectMovedAndMended();
  });

  it.each<[string, () => unknown]>([
    ['the last of the finished ones was deleted', () => stack.registry.deleteMember(20)],
    [
      'so many were deleted that the page is another one',
      () => {
        for (let id = 1; id <= 6; id += 1) stack.registry.deleteMember(id);
      },
    ],
  ])('%s: everything is planned anew', async (_what, change) => {
    const first = await halfLoaded();
    change();
    const { record } = await run();
    expect(record.planId).not.toBe(first.planId);
    expect(record).toMatchObject({ outcome: 'published', warnings: [] });
    expect(documentsRead).toBe(23);
  });

  it('the registry is another one, with hardly anybody: planned anew, and the guard refuses', async () => {
    await stack.close();
    stack = await startReconcileStack({ members: 120, mayBeInMemory: true });
    expect((await run({ writer: writerFor(63) })).record.outcome).toBe('partial');
    for (let id = 1; id <= 110; id += 1) stack.registry.deleteMember(id);
    expect((await run()).record).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
  });

  it('writes nothing of a page that goes beyond what was let through and what the guard lets through on top', async () => {
    await run();
    stack.clock.advance(HOUR_MS);
    for (let id = 1; id <= MEMBERS; id += 1) stack.registry.updateMember(id, { name: `Nýtt ${id}` });
    const { planId } = (await run()).record;
    expect(planId).not.toBeNull();
    await stack.close();
    stack = await startReconcileStack({ members: 200, mayBeInMemory: true });
    await run();
    stack.clock.advance(HOUR_MS);
    for (let id = 1; id <= 12; id += 1) stack.registry.updateMember(id, { name: `Nýtt ${id}` });
    expect((await run({ writer: writerFor(7) })).record).toMatchObject({
      outcome: 'partial',
      unfinished: { updated: 5 },
    });
    for (let id = 20; id <= 200; id += 1) {
      stack.registry.updateMember(id, { contact_info: { email: '' } });
    }
    const writes = countMemberWrites(stack);
    expect((await run()).record).toMatchObject(moved);
    expect(writes()).toBeLessThan(70);
    expect((await run()).record).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
  });
});

describe('a cursor that cannot be gone on with', () => {
  it.each<[string, object]>([
    ['is from another version of the program', { scheme: 2 }],
    ['is broken', { place: 'page 4' }],
    ['has lost what the registry had said', { said: null }],
    ['is a day old', { plannedAt: new Date(Date.now() - 25 * HOUR_MS).toISOString() }],
  ])('%s: everything is planned anew', async (_what, change) => {
    await halfLoaded();
    const cursor = { ...(await state())?.['cursor'], ...change };
    await stack.db.doc('sync_state/portal').update({ cursor });
    expect((await run()).record).toMatchObject({
      outcome: 'published',
      warnings: [],
      changes: { added: 17 },
    });
    expect(documentsRead).toBe(23);
    await expectEqual(stack);
  });

  it('is left alone by a dry run, which shows everything that is left', async () => {
    await halfLoaded();
    const { record } = await stack.run({ trigger: 'http', dryRun: true }, small());
    expect(record).toMatchObject({ outcome: 'dry-run', changes: { added: 17, unchanged: 23 } });
    expect((await state())?.['cursor']).toMatchObject({ run: 'run-001' });
  });

  it('gives way to an approval, which is of a plan that is made now', async () => {
    const { planId } = await halfLoaded();
    const approve = { planId: planId ?? '', operator: 'Anna', reason: 'looked at it' };
    const { record } = await stack.run({ trigger: 'http', approve }, small());
    expect(record).toMatchObject({ outcome: 'skipped', errorCode: 'plan_changed' });
    expect((await state())?.['cursor']).toMatchObject({ run: 'run-001' });
  });

  it.each<[string, Partial<PortalMirrorDependencies>]>([
    ['takes the registry’s word', { takesWordOf: 'all' }],
  ])('is not for a run that %s', async (_what, given) => {
    await halfLoaded();
    expect((await run(given)).record).toMatchObject({ outcome: 'published', warnings: [] });
    expect(await state()).toMatchObject({ cursor: null });
  });

  it('is not made where two members have one number: the second would be taken for a change of the first', async () => {
    const { ssn } = stack.registry.member(1);
    stack.registry.updateMember(39, { ssn } as never);
    const { record } = await run({ writer: writerFor(23) });
    const hasDuplicate = Number(record.findings?.['duplicates']) > 0;
    expect((await state())?.['cursor'] === null).toBe(hasDuplicate);
  });

  it('is not moved by a run that has lost its lease', async () => {
    const first = await stack.dependencies.runs.begin({
      record: (await halfLoaded()) && {
        ...(await run({ writer: writerFor(5) })).record,
        runId: 'late',
        mirror: 'portal',
      },
      leaseExpiresAt: new Date(stack.clock.now().getTime() + 1),
      occurrence: null,
    });
    if (first.kind !== 'begun') throw new Error(first.kind);
    stack.clock.advance(150_001);
    await run({ writer: writerFor(1) });
    const none = { added: 0, removed: 0, updated: 0, blanked: {} };
    await expect(stack.dependencies.runs.keepCursor(first.lease, null, none)).rejects.toMatchObject({
      code: 'lease_lost',
    });
  });
});
