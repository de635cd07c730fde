import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { decideConflict } from '../../src/twoway/conflict.ts';
import { nextDelayMs } from '../../src/twoway/plan-settlement.ts';
import { makeRegistryMembers } from '../../src/twoway/registry.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

const HOUR_MS = 3_600_000;
const EDITED = new Date('2026-11-20T12:00:00Z');
const after = (ms: number) => new Date(EDITED.getTime() + ms);

describe('who wins a conflict', () => {
  it.each([
    ['the registry long before', after(-2 * HOUR_MS), 'portal', 'later', 'resolved'],
    ['the registry long after', after(2 * HOUR_MS), 'registry', 'later', 'resolved'],
    ['a millisecond over an hour before', after(-HOUR_MS - 1), 'portal', 'later', 'resolved'],
    ['an hour before, to the millisecond', after(-HOUR_MS), 'registry', 'too-close', 'open'],
    ['an hour after, to the millisecond', after(HOUR_MS), 'registry', 'too-close', 'open'],
    ['at the same time', EDITED, 'registry', 'too-close', 'open'],
    ['nobody knows when', null, 'registry', 'incomparable', 'open'],
    ['a time that is none', new Date(Number.NaN), 'registry', 'incomparable', 'open'],
  ] as const)('%s: %s', (_, changedAt, winner, reason, state) => {
    expect(decideConflict(EDITED, changedAt)).toEqual({ winner, reason, state });
  });
});

describe('the wait after a failed try', () => {
  it.each([
    [1, 0, 30_000],
    [1, 1, 15_000],
    [2, 0, 60_000],
    [5, 0, 480_000],
    [13, 0, 24 * HOUR_MS],
    [13, 1, 12 * HOUR_MS],
    [1_000, 0, 24 * HOUR_MS],
  ])('after try %i, with chance %f, is %i ms', (tries, random, ms) => {
    expect(nextDelayMs(tries, random)).toBe(ms);
  });
});

describe('what the registry says of one member', () => {
  const [KENNITALA, OTHER] = makeKennitalas(2, 30_000) as [Kennitala, Kennitala];
  const row = (more: object) => ({
    ssn: KENNITALA,
    name: 'Generated Person',
    email: 'old@example.is',
    ...more,
  });
  const members = (said: object | null, list: object[] = []) =>
    makeRegistryMembers({
      reader: { readMember: async () => said },
      pages: {
        pages: async function* () {
          yield { members: list, count: list.length, place: null } as never;
        },
      },
    });
  const { signal } = new AbortController();
  const read = async (said: object | null, list?: object[]) =>
    members(said, list).read(KENNITALA, { signal });

  it('is what it answers, where that has an id or a version', async () => {
    for (const more of [{ id: 7 }, { version: 3 }, { id: 7, version: 3 }])
      expect((await read(row(more), [row({ id: 9, name: 'Of The List' })]))?.content).toMatchObject({
        'profile.name': 'Generated Person',
      });
    expect(await read(null)).toBeNull();
  });

  it('is what its list says, where the answer has neither', async () => {
    const listed = [{ ssn: OTHER, id: 1 }, row({ id: 9, name: 'Of The List' })];
    expect(await read(row({}), listed)).toMatchObject({
      djangoId: 9,
      content: { 'profile.name': 'Of The List' },
    });
    // Nobody of that number in the list: then e-mail and address, which are older there, count for nothing.
    const alone = await read(row({}), [{ ssn: OTHER, id: 1 }]);
    expect(alone?.content).toHaveProperty(['profile.name'], 'Generated Person');
    expect(alone?.content).not.toHaveProperty(['profile.email']);
  });

  it('is not taken for another one', async () => {
    await expect(read({ ...row({ id: 7 }), ssn: OTHER })).rejects.toMatchObject({
      code: 'registry_invalid_response',
      message: 'The registry answered another member than the one asked for.',
    });
  });

  const pagesRead: number[] = [];
  const paged = (list: readonly object[][]) =>
    makeRegistryMembers({
      reader: { readMember: async () => null },
      pages: {
        pages: async function* () {
          for (const [n, page] of list.entries()) {
            pagesRead.push(n);
            yield { members: page, count: list.flat().length };
          }
        },
      },
    });

  it('is looked for on no more pages than needed', async () => {
    const pages = [[row({ id: 9 })], [{ ssn: OTHER, id: 10 }]];
    expect(await paged(pages).numberOf(9, { signal })).toBe(KENNITALA);
    expect(pagesRead.splice(0)).toEqual([0]);
    expect(await paged(pages).numberOf(10, { signal })).toBe(OTHER);
    expect(pagesRead.splice(0)).toEqual([0, 1]);
  });

  it('names the number of a row, and whether members have versions', async () => {
    const list = [row({ id: 9 })];
    expect(await members(null, list).numberOf(9, { signal })).toBe(KENNITALA);
    expect(await members(null, list).numberOf(8, { signal })).toBeNull();
    expect(await members(null, list).isVersioned({ signal })).toBe(false);
    expect(await members(null, [row({ version: 3 })]).isVersioned({ signal })).toBe(true);
    expect(await members(null, []).isVersioned({ signal })).toBe(false);
    expect(await paged([]).isVersioned({ signal })).toBe(false);
  });
});
