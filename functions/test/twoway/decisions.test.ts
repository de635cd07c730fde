import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { ChangeAnswer, RegistryChanges } from '../../src/registry/ports.ts';
import { decideConflict } from '../../src/twoway/conflict.ts';
import { nextDelayMs } from '../../src/twoway/plan-settlement.ts';
import { makeEditTime } from '../../src/twoway/queue.ts';
import { makeApplyProtocol, makeRegistryMembers } from '../../src/twoway/registry.ts';
import { type Outgoing, sendChanges } from '../../src/twoway/send.ts';
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

const outgoing = (kennitala: Kennitala, action: 'create' | 'update' = 'update'): Outgoing => {
  const path = { expected: 'a', newValue: 'b', editedAt: makeEditTime(1_700_000_000, 0) };
  const delivery = { changeId: `change-${kennitala}`, action, paths: { 'profile.email': path } };
  return { part: delivery, claimed: { kennitala, djangoId: 7, owner: 'me', delivery, isSplit: false } };
};

/** A registry that fails on any request with one of these members in it. */
const choking = (on: ReadonlySet<string>, failure: SyncError) => {
  const sizes: number[] = [];
  const registry: RegistryChanges = {
    apply: async (changes) => {
      sizes.push(changes.length);
      if (changes.some(({ kennitala }) => on.has(kennitala))) throw failure;
      return changes.map(() => ({ status: 'success', version: 1 }) as const);
    },
    outbox: async () => [],
    markSynced: async () => undefined,
  };
  return {
    sizes,
    registry,
    send: (all: Outgoing[]) =>
      sendChanges(all, new AbortController().signal, { registry, protocol: makeApplyProtocol() }),
  };
};
const PEOPLE = makeKennitalas(250, 30_000);
const broken = new SyncError('registry_unavailable', 'broken', { details: { status: 500 } });

describe('telling the registry many changes', () => {
  it.each<[string, ChangeAnswer, boolean]>([
    ['a version', { status: 'success', version: 1 }, true],
    ['no version', { status: 'success', version: null }, false],
    ['a conflict', { status: 'conflict', current: {}, version: null, changedAt: null }, true],
  ])(
    'learns from an answer with %s whether the registry compares what was expected',
    async (_what, answer, expected) => {
      const protocol = makeApplyProtocol();
      protocol.learn(!expected);
      const registry = { ...choking(new Set(), broken).registry, apply: async () => [answer] };
      await sendChanges([outgoing(PEOPLE[0] as Kennitala)], new AbortController().signal, {
        registry,
        protocol,
      });
      expect(protocol.comparesExpected()).toBe(expected);
    },
  );

  it('sends at most a hundred a request', async () => {
    const { sizes, send } = choking(new Set(), broken);
    expect((await send(PEOPLE.map((it) => outgoing(it)))).size).toBe(250);
    expect(sizes).toEqual([100, 100, 50]);
  });

  it.each([0, 37, 99])(
    'finds the one that the registry chokes on (number %i), and sends all others',
    async (position) => {
      const all = PEOPLE.slice(0, 100).map((it) => outgoing(it));
      const bad = all[position];
      const { sizes, send } = choking(new Set([bad?.claimed.kennitala ?? '']), broken);
      const sent = await send(all);
      const failed = [...sent].filter(([, result]) => 'failure' in result).map(([out]) => out);
      expect(failed).toEqual([bad]);
      expect(sizes.length).toBeLessThan(20);
    },
  );

  it('asks no further when the registry chokes on everything', async () => {
    const { sizes, send } = choking(new Set(PEOPLE), broken);
    const sent = await send(PEOPLE.slice(0, 100).map((it) => outgoing(it)));
    expect([...sent.values()].every((result) => 'failure' in result)).toBe(true);
    expect(sizes).toEqual([100, 50, 50]);
  });

  it('takes a 400 of one change alone for a refusal, and that of a hundred for none', async () => {
    const all = PEOPLE.slice(0, 100).map((it) => outgoing(it));
    const bad = all[37];
    const rejected = new SyncError('registry_rejected', 'no', { details: { status: 400 } });
    const one = await choking(new Set([bad?.claimed.kennitala ?? '']), rejected).send(all);
    const refused = [...one].filter(([, sent]) => 'answer' in sent && sent.answer.status === 'refused');
    expect(refused.map(([out]) => out)).toEqual([bad]);
    expect(refused[0]?.[1]).toMatchObject({ answer: { code: 'invalid_value' } });
    const every = await choking(new Set(PEOPLE), rejected).send(all);
    expect([...every.values()].every((sent) => 'failure' in sent)).toBe(true);
  });

  it('asks no further when the registry cannot be reached', async () => {
    const { sizes, send } = choking(new Set(PEOPLE.slice(0, 1)), new SyncError('registry_timeout', 'slow'));
    await send(PEOPLE.slice(0, 100).map((it) => outgoing(it)));
    expect(sizes).toEqual([100]);
  });

  it.each([
    [403, 'registry_unauthorized'],
    [405, 'registry_rejected'],
  ] as const)(
    'a registration goes alone, and %i is the end of it and of nothing else',
    async (status, code) => {
      const [first = '', second = ''] = PEOPLE as string[];
      const failure = new SyncError(code, 'no', { details: { status } });
      const { sizes, send } = choking(new Set([first]), failure);
      const create = outgoing(first as Kennitala, 'create');
      const update = outgoing(second as Kennitala);
      const sent = await send([create, update]);
      expect(sizes).toEqual([1, 1]);
      expect(sent.get(update)).toEqual({ answer: { status: 'success', version: 1 } });
      expect(sent.get(create)).toMatchObject({ answer: { status: 'refused', code: 'action_not_allowed' } });
    },
  );
});

describe('what the registry says of one member', () => {
  const [KENNITALA, OTHER] = PEOPLE as [Kennitala, Kennitala];
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

  it('names the number of a row, and whether members have versions', async () => {
    const list = [row({ id: 9 })];
    expect(await members(null, list).numberOf(9, { signal })).toBe(KENNITALA);
    expect(await members(null, list).numberOf(8, { signal })).toBeNull();
    expect(await members(null, list).isVersioned({ signal })).toBe(false);
    expect(await members(null, [row({ version: 3 })]).isVersioned({ signal })).toBe(true);
    expect(await members(null, []).isVersioned({ signal })).toBe(false);
  });
});
