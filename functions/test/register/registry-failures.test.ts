import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StandingFaultInput } from '../../../local/src/registry/faults.ts';
import { type RegisterStack, startRegisterStack } from '../support/stack.ts';
import { makePages } from './support/make-pages.ts';

let stack: RegisterStack;
beforeEach(async () => {
  stack = await startRegisterStack({ members: 60 });
  await stack.run();
});
afterEach(async () => {
  await stack.close();
});

describe('a registry that fails', () => {
  const FAULTS: [string, StandingFaultInput, string][] = [
    ['refuses the token', { status: 401 }, 'registry_unauthorized'],
    ['forbids the call', { status: 403 }, 'registry_unauthorized'],
    ['does not know the address', { status: 404 }, 'registry_rejected'],
    ['is broken', { status: 500 }, 'registry_unavailable'],
    ['is overloaded', { status: 503 }, 'registry_unavailable'],
    ['answers too slowly', { delay_ms: 600 }, 'registry_timeout'],
    ['hangs up', { disconnect: 'at-once' }, 'registry_unreachable'],
    ['hangs up in the middle', { disconnect: 'mid-body' }, 'registry_unreachable'],
    ['sends half of the JSON', { truncate: true }, 'registry_invalid_response'],
    ['sends a login page', { html: true }, 'registry_invalid_response'],
    ['redirects elsewhere', { redirect: 'https://elsewhere.example/' }, 'registry_rejected'],
    ['leaves the members out', { missing_keys: ['results'] }, 'registry_invalid_response'],
    ['sends no member', { empty: true }, 'empty_export'],
    ['sends fewer than it says', { count: 5 }, 'incomplete_export'],
  ];
  it.each(FAULTS)('and %s: nothing is changed, and sync_log says why', async (_what, fault, code) => {
    const before = JSON.stringify(await stack.members());
    stack.registry.createMember();
    stack.registry.addFault({ ...fault, path: '/api/members/' });
    const isTriedAgain = /^registry_un(available|reachable)$|^registry_timeout$/.test(code);
    const { record } = await stack.run(undefined, isTriedAgain ? { pages: stack.hurriedPages } : {});
    expect(record).toMatchObject({ outcome: 'failed', errorCode: code });
    expect(JSON.stringify(await stack.members())).toBe(before);
    expect((await stack.syncLog()).at(-1)).toMatchObject({ status: 'failed', details: { code } });
  });

  it('on a later page only: nothing is changed either', async () => {
    const before = JSON.stringify(await stack.members());
    const pages = {
      pages: async function* (options: Parameters<typeof stack.registerOptions.pages.pages>[0]) {
        let number = 0;
        for await (const page of stack.registerOptions.pages.pages(options)) {
          number += 1;
          if (number === 2) stack.registry.addFault({ status: 403, path: '/api/members/' });
          yield page;
        }
      },
    };
    expect((await stack.run(undefined, { pages })).record.errorCode).toBe('registry_unauthorized');
    expect(JSON.stringify(await stack.members())).toBe(before);
  });
});

describe('members that cannot be read', () => {
  const wireMembers = () =>
    Array.from({ length: 60 }, (_, n): Record<string, unknown> => ({ ...stack.registry.member(n + 1) }));

  it('are left as they are, counted, and listed by reference and reason', async () => {
    const [first, ...others] = wireMembers();
    stack.advance(3_600_000);
    const { record } = await stack.run(undefined, {
      pages: makePages([{ ...first, gender: 9, name: 'Changed' }, ...others]),
    });
    expect(record).toMatchObject({ outcome: 'unchanged', memberCount: 60, changes: { quarantined: 1 } });
    const log = (await stack.syncLog()).at(-1);
    expect(log).toMatchObject({ status: 'success', error_count: 1, members_verified: 59 });
    expect(log?.details['unreadable']).toEqual([
      { member: expect.stringMatching(/^m_[0-9a-f]{16}$/), position: 0, reason: 'gender' },
    ]);
    const verified = await stack.postgres.sql<{ last_verified_at: Date }>(
      'select distinct last_verified_at from public.members_verified order by 1',
    );
    expect(verified).toHaveLength(2);

    stack.advance(3_600_000);
    await stack.run(undefined, { pages: makePages(wireMembers()) });
    expect(
      await stack.postgres.sql('select distinct last_verified_at from public.members_verified'),
    ).toHaveLength(1);
  });

  it('are known by their row number when the kennitala is what cannot be read', async () => {
    const [first, ...others] = wireMembers();
    const { record } = await stack.run(undefined, {
      pages: makePages([{ ...first, ssn: '123' }, ...others]),
    });
    expect(record.changes).toMatchObject({ removed: 0, quarantined: 1 });
  });

  it('count as gone when nothing says who they are, with a warning', async () => {
    const [, ...others] = wireMembers();
    const { record } = await stack.run(undefined, { pages: makePages([{ name: 'Nobody' }, ...others]) });
    expect(record.changes).toMatchObject({ removed: 1, quarantined: 1 });
    expect(record.warnings.map(({ code }) => code)).toContain('unidentified_entries');
  });

  it('trip the guard when there are too many', async () => {
    const spoiled = wireMembers().map((member, n) => (n < 6 ? { ...member, gender: 9 } : member));
    const { record } = await stack.run(undefined, { pages: makePages(spoiled) });
    expect(record).toMatchObject({ outcome: 'blocked', errorCode: 'guard_tripped' });
  });
});
