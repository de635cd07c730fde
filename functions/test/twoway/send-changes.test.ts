import { describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { type ErrorCode, SyncError } from '../../src/lib/errors.ts';
import type { Change, ChangeAnswer, RegistryChanges } from '../../src/registry/ports.ts';
import { makeEditTime } from '../../src/twoway/queue.ts';
import { makeApplyProtocol } from '../../src/twoway/registry.ts';
import { type Outgoing, sendChanges } from '../../src/twoway/send.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

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
  it('begins with a registry that may not compare, and expects nothing of a registration', async () => {
    const told: Change[] = [];
    const protocol = makeApplyProtocol();
    const repeatable: boolean[] = [];
    const registry: RegistryChanges = {
      ...choking(new Set(), broken).registry,
      apply: async (changes, { isRepeatable }) => {
        told.push(...changes);
        repeatable.push(isRepeatable);
        return changes.map(() => ({ status: 'success', version: 1 }) as const);
      },
    };
    const [first, second] = PEOPLE as [Kennitala, Kennitala];
    const all = [outgoing(first), outgoing(second, 'create')];
    await sendChanges(all, new AbortController().signal, { registry, protocol });
    expect(repeatable).toEqual([false, true]);
    expect(told.map(({ expected }) => expected)).toEqual([{ 'profile.email': 'a' }, undefined]);
  });

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

describe('a request that fails', () => {
  const one = () => outgoing(PEOPLE[0] as Kennitala);
  const two = () => PEOPLE.slice(0, 2).map((it) => outgoing(it));
  const failing = (code: ErrorCode, status?: number) =>
    new SyncError(code, 'no', { details: status === undefined ? {} : { status } });

  it.each<[string, () => Outgoing[], ErrorCode, number | undefined, number[]]>([
    ['with one change is not made again', () => [one()], 'registry_unavailable', 500, [1]],
    ['by a 500 is made in halves', two, 'registry_unavailable', 500, [2, 1, 1]],
    ['by a 503 is not', two, 'registry_unavailable', 503, [2]],
    ['by the time that a 500 took is not', two, 'registry_timeout', 500, [2]],
    ['by a 400 is made in halves', two, 'registry_rejected', 400, [2, 1, 1]],
    [
      'by an answer that cannot be read is made in halves',
      two,
      'registry_invalid_response',
      undefined,
      [2, 1, 1],
    ],
    ['by its size is made in halves', two, 'registry_too_large', undefined, [2, 1, 1]],
  ])('%s', async (_what, changes, code, status, expected) => {
    const { sizes, send } = choking(new Set(PEOPLE), failing(code, status));
    await send(changes());
    expect(sizes).toEqual(expected);
  });

  it('for one of two is made once more for each', async () => {
    const { sizes, send } = choking(new Set([PEOPLE[0] ?? '']), broken);
    const [bad, good] = two() as [Outgoing, Outgoing];
    const sent = await send([bad, good]);
    expect([sent.get(bad), sent.get(good)]).toEqual([
      { failure: broken },
      { answer: { status: 'success', version: 1 } },
    ]);
    expect(sizes).toEqual([2, 1, 1]);
  });

  it.each<['create' | 'update', number, ChangeAnswer | null]>([
    [
      'create',
      403,
      {
        status: 'refused',
        code: 'action_not_allowed',
        message: 'the registry takes no new members from the portal (403)',
      },
    ],
    ['create', 500, null],
    ['update', 403, null],
    [
      'update',
      400,
      {
        status: 'refused',
        code: 'invalid_value',
        message: 'the registry refused the request that held this change alone (400)',
      },
    ],
  ])('with a %s alone by a %i is its end, or may pass', async (action, status, answer) => {
    const failure = failing('registry_rejected', status);
    const { send } = choking(new Set(PEOPLE), failure);
    const [sent] = (await send([outgoing(PEOPLE[0] as Kennitala, action)])).values();
    expect(sent).toEqual(answer === null ? { failure } : { answer });
  });

  it('for want of an answer is one that cannot be read', async () => {
    const { registry } = choking(new Set(), broken);
    const short = { ...registry, apply: async () => [] };
    const sent = await sendChanges([one()], new AbortController().signal, {
      registry: short,
      protocol: makeApplyProtocol(),
    });
    expect([...sent.values()]).toMatchObject([{ failure: { message: 'An answer is missing.' } }]);
  });

  it.each([
    [1, 2],
    [2, 1],
  ])('or not, tells when the last of the fields was edited: %i and %i', async (email, phone) => {
    const told: Change[] = [];
    const at = (seconds: number) => makeEditTime(1_700_000_000 + seconds, 0);
    const path = { expected: 'a', newValue: 'b' };
    const paths = {
      'profile.email': { ...path, editedAt: at(email) },
      'profile.phone': { ...path, editedAt: at(phone) },
    };
    const { claimed, part } = one();
    const { registry } = choking(new Set(), broken);
    const noting: RegistryChanges = {
      ...registry,
      apply: async (changes, options) => {
        told.push(...changes);
        return registry.apply(changes, options);
      },
    };
    await sendChanges([{ claimed, part: { ...part, paths } }], new AbortController().signal, {
      registry: noting,
      protocol: makeApplyProtocol(),
    });
    expect(told[0]?.edited_at).toBe(new Date(1_700_000_002_000).toISOString());
  });
});
