import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ReconcileStack, startReconcileStack } from '../../support/stack.ts';
import { countMemberWrites, expectEqual } from './support/equality.ts';

const HOUR_MS = 3_600_000;
const MEMBERS = 120;

let stack: ReconcileStack;
beforeEach(async () => {
  stack = await startReconcileStack({ members: MEMBERS });
  expect((await stack.run()).record.outcome).toBe('published');
  stack.clock.advance(HOUR_MS);
});
afterEach(async () => {
  await stack.close();
});

const ids = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
const PAGES = '/api/members/';

describe('the guard of the portal', () => {
  it('refuses pages that lack a part of the members, and removes nobody', async () => {
    stack.registry.addFault({ path: PAGES, drop: 40 });
    const writes = countMemberWrites(stack);
    const { record } = await stack.run();
    expect(record).toMatchObject({ status: 'error', outcome: 'blocked', errorCode: 'guard_tripped' });
    expect(record.guard?.findings).toEqual([{ rule: 'removed_share', count: 40, allowed: 10 }]);
    expect(writes()).toBe(0);
  });

  it('refuses a field that turns empty for many', async () => {
    const withEmail = ids(MEMBERS).filter((id) => stack.registry.member(id).contact_info.email);
    for (const id of withEmail.slice(0, 11)) {
      stack.registry.updateMember(id, { contact_info: { email: null } });
    }
    const { record } = await stack.run();
    expect(record.guard?.findings).toEqual([
      { rule: 'blanked_share', field: 'profile.email', count: 11, allowed: 10 },
    ]);
    expect(stack.logs.findLast(({ severity }) => severity === 'ERROR')?.message).toBe(
      '[SYNC] Sync blocked: 11 members would lose a field, 10 allowed (blanked_share profile.email). Nothing was changed.',
    );
  });

  it('refuses a change of more than half of all members', async () => {
    for (const id of ids(61)) stack.registry.updateMember(id, { name: `Nafn ${id}` });
    const { record } = await stack.run();
    expect(record.guard?.findings).toEqual([{ rule: 'changed_share', count: 61, allowed: 60 }]);
  });

  it('does not count a version that moved and content that did not', async () => {
    for (const id of ids(100)) stack.registry.updateMember(id, {});
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'published', changes: { updated: 100 } });
    await expectEqual(stack);
  });

  it('refuses many who cannot be read', async () => {
    for (const id of ids(6)) stack.registry.updateMember(id, { gender: 9 });
    const { record } = await stack.run();
    expect(record.guard?.findings).toEqual([{ rule: 'quarantined_share', count: 6, allowed: 5 }]);
  });

  it('lets exactly the approved plan through', async () => {
    for (const id of ids(30)) stack.registry.deleteMember(id);
    const { record: dry } = await stack.run({ trigger: 'http', dryRun: true });
    expect(dry.guard?.tripped).toBe(true);
    const approve = { planId: dry.planId ?? '', operator: 'Operator', reason: 'A branch left' };
    stack.registry.deleteMember(31);
    expect((await stack.run({ trigger: 'http', approve })).record.errorCode).toBe('plan_changed');
    const { record: second } = await stack.run({ trigger: 'http', dryRun: true });
    const again = { ...approve, planId: second.planId ?? '' };
    expect((await stack.run({ trigger: 'http', approve: again })).record).toMatchObject({
      outcome: 'published',
      memberCount: MEMBERS - 31,
      approvedBy: 'Operator',
      changes: { removed: 31 },
    });
    await expectEqual(stack);
  });

  it('refuses a half of the registry when the portal was emptied', async () => {
    await stack.firestore.clear();
    await stack.run();
    stack.clock.advance(HOUR_MS);
    const documents = await stack.db.collection('members').get();
    await Promise.all(documents.docs.map((document) => document.ref.delete()));
    stack.registry.addFault({ path: PAGES, drop: 60 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'blocked' });
    expect(record.warnings.map(({ code }) => code)).toEqual(['portal_emptied']);
  });
});

describe('a member who is on no page', () => {
  it('is not removed while the registry still answers them, even below the limits', async () => {
    stack.registry.addFault({ path: PAGES, drop: 5 });
    const writes = countMemberWrites(stack);
    const { record } = await stack.run();
    expect(record).toMatchObject({
      outcome: 'published',
      memberCount: MEMBERS,
      changes: { removed: 5 },
      overtaken: 5,
      missedEvents: { deleted: 0 },
    });
    expect(writes()).toBe(0);
  });

  it('is not removed when the registry cannot be asked about them', async () => {
    stack.registry.deleteMember(1);
    stack.registry.addFault({ path: '/api/sync/member/', status: 404 });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode: 'registry_rejected' });
    expect((await stack.memberData(stack.kennitalaOf(1)))?.['membership'].status).toBe('active');
  });

  it('is kept when a member whose number cannot be read has their row', async () => {
    const { pages } = stack.portal;
    const broken = {
      pages: async function* (options: Parameters<typeof pages.pages>[0]) {
        for await (const page of pages.pages(options)) {
          yield {
            ...page,
            members: page.members.map((json) => {
              const member = json as { id: number };
              return member.id <= 2 ? { ...member, ssn: '12345' } : json;
            }),
          };
        }
      },
    };
    const { record } = await stack.run({ trigger: 'http' }, { portal: { pages: broken } });
    expect(record).toMatchObject({ outcome: 'unchanged', changes: { removed: 0, quarantined: 2 } });
    expect(record.warnings.map(({ code }) => code)).toEqual(['quarantined_members', 'removals_withheld']);
    expect(record.warnings[0]?.message).toContain('number 0 of the pages: ssn is not a kennitala.');
  });
});

describe('an entry of the pages that is no member at all', () => {
  it('could be anybody, so nobody is removed', async () => {
    stack.registry.deleteMember(1);
    stack.registry.addFault({ path: PAGES, wrong_types: ['results'] });
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'unchanged', changes: { removed: 0, quarantined: 1 } });
    expect(record.warnings.map(({ message }) => message)).toEqual([
      '1 member cannot be read: left as they are. number 0 of the pages: ssn is missing.',
      '2 members were on no page, but may be among those that cannot be read: kept.',
    ]);
  });
});

describe('pages that cannot be trusted', () => {
  it.each([
    ['a total that is not reached', { count: 5 }, 'incomplete_export'],
    ['members who come twice', { duplicates: 3 }, 'registry_invalid_response'],
    ['no members', { empty: true }, 'empty_export'],
    ['half of an answer', { truncate: true }, 'registry_invalid_response'],
    ['a login page', { html: true }, 'registry_invalid_response'],
    ['a total of another type', { wrong_types: ['count'] }, 'registry_invalid_response'],
    ['no results', { missing_keys: ['results'] }, 'registry_invalid_response'],
  ])('%s: the run fails and nothing is written', async (_what, fault, errorCode) => {
    stack.registry.addFault({ path: PAGES, ...fault });
    const writes = countMemberWrites(stack);
    const { record } = await stack.run();
    expect(record).toMatchObject({ outcome: 'failed', errorCode });
    expect(writes()).toBe(0);
  });
});
