import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { chunksOf } from '../../src/lib/concurrency.ts';
import { type ErrorCode, SyncError } from '../../src/lib/errors.ts';
import type { ChangeAnswer } from '../../src/registry/ports.ts';
import { makeQueueItem, type NewItem, type QueueItem } from '../../src/twoway/queue.ts';
import { tryEdit } from '../../src/twoway/track.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { EMAIL, type MemoryStack, NOW, openMemoryStack } from './support/memory-stack.ts';

const PEOPLE = makeKennitalas(101, 60_000);
const [ONE, TWO, THREE] = PEOPLE as [Kennitala, Kennitala, Kennitala];
const SYNCED = { kind: 'done', synced: 1, refused: 0, conflicts: 0 };
const CLAIM_MS = 180_000;
const at = (ms: number) => new Date(NOW + ms);

let stack: MemoryStack;
beforeEach(() => {
  stack = openMemoryStack();
});

/** Each of them has an edit in the queue that nobody has begun to deliver. */
const waiting = async (kennitalas: readonly Kennitala[], version: number | null = 1) => {
  const { dependencies, edits } = stack;
  await stack.load(kennitalas, version);
  for (const kennitala of kennitalas) stack.edit(kennitala, { [EMAIL]: `${kennitala}@example.is` });
  const items = new Map(
    edits.splice(0).map((write) => [write.kennitala, makeQueueItem(tryEdit(write) as NewItem, stack.now())]),
  );
  for (const some of chunksOf(kennitalas, 100))
    await dependencies.store.transactAll(some, stack.now(), (kennitala) => ({
      items: [items.get(kennitala) as QueueItem],
      result: null,
    }));
};
const outcomes = async (...given: Parameters<MemoryStack['deliver']>) => {
  const delivered = await stack.deliver(...given);
  return given[0].map((kennitala) => delivered.get(kennitala));
};

describe('the edits of many members', () => {
  it('end each for itself: taken, refused, in conflict, and one that was taken later', async () => {
    const people = PEOPLE.slice(0, 4);
    await waiting(people);
    const { take } = stack.registry;
    const answers: (ChangeAnswer | null)[] = [
      null,
      { status: 'refused', code: 'invalid_value', message: 'no' },
      { status: 'conflict', current: { [EMAIL]: 'theirs@example.is' }, version: 9, changedAt: null },
      { status: 'refused', code: 'internal', message: 'a fault' },
    ];
    stack.registry.take = (change) => answers[people.indexOf(change.kennitala)] ?? take(change);
    expect(await outcomes(people)).toMatchObject([
      SYNCED,
      { kind: 'done', synced: 0, refused: 1, conflicts: 0 },
      { kind: 'done', synced: 0, refused: 0, conflicts: 1 },
      { kind: 'waiting', synced: 0, failure: { code: 'registry_unavailable' } },
    ]);
    expect(stack.registry.told.map(({ length }) => length)).toEqual([4]);
    expect(stack.logs.find(({ event }) => event === 'edits_delivered')).toMatchObject({ synced: 1 });
  });

  it('are written down one by one where the store does not take them together', async () => {
    const people = [ONE, TWO, THREE];
    await waiting(people);
    stack.dependencies.protocol.learn(true);
    let commits = 0;
    // The first claims all of them, the second settles all of them.
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits === 2;
    expect(await outcomes(people)).toEqual([SYNCED, SYNCED, SYNCED]);
    expect(stack.registry.told).toHaveLength(1);
  });

  it('are claimed one by one where the store does not claim them together, and one may fail', async () => {
    const people = [ONE, TWO, THREE];
    await waiting(people);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits <= 2;
    const [failed, ...others] = await outcomes(people);
    expect(failed).toMatchObject({ kind: 'failed', failure: { code: 'store_unavailable' }, synced: 0 });
    expect(others).toEqual([SYNCED, SYNCED]);
    expect(stack.registry.told.map(({ length }) => length)).toEqual([2]);
  });

  it('say nothing in the log where nothing was taken', async () => {
    await waiting([ONE, TWO]);
    stack.registry.take = () => ({ status: 'refused', code: 'invalid_value', message: 'no' });
    await outcomes([ONE, TWO]);
    expect(stack.logs.map(({ event }) => event)).toEqual(['edit_refused', 'edit_refused']);
  });
});

describe('the edits of two members', () => {
  it('are claimed and settled together, and that of one by itself', async () => {
    await waiting([ONE, TWO, THREE]);
    stack.dependencies.protocol.learn(true);
    const { store } = stack.dependencies;
    const { transact, transactAll } = store;
    let [alone, together] = [0, 0];
    store.transact = (...given) => {
      alone += 1;
      return transact(...given);
    };
    store.transactAll = (...given) => {
      together += 1;
      return transactAll(...given);
    };
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
    expect([alone, together]).toEqual([0, 2]);
    expect(await outcomes([THREE])).toEqual([SYNCED]);
    expect([alone, together]).toEqual([2, 2]);
  });

  it('are read where the portal has heard of something later than the answer', async () => {
    await waiting([ONE, TWO]);
    stack.dependencies.protocol.learn(true);
    const { take } = stack.registry;
    stack.registry.take = (change) => {
      take(change);
      return { status: 'success', version: 0 };
    };
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
    expect([...stack.registry.asked].sort()).toEqual([ONE, TWO].sort());
  });
});

describe('a registry of which it is not known whether it compares', () => {
  const people = [ONE, TWO, THREE];
  it.each<[ErrorCode, number]>([
    ['registry_unreachable', 1],
    ['registry_timeout', 1],
    ['registry_unavailable', 1],
    ['registry_unauthorized', 1],
    ['secret_unavailable', 1],
    ['registry_rejected', 3],
    ['registry_invalid_response', 3],
  ])('and that answers %s is asked %i times about three members', async (code, times) => {
    await waiting(people);
    let asked = 0;
    stack.dependencies.reader.readMember = async () => {
      asked += 1;
      throw new SyncError(code, 'no');
    };
    const ended = await outcomes(people);
    expect(ended).toMatchObject(people.map(() => ({ kind: 'waiting', failure: { code }, synced: 0 })));
    expect([asked, stack.registry.told]).toEqual([times, []]);
    expect(stack.items().map((item) => item['retry_count'])).toEqual([1, 1, 1]);
  });

  it('is read for the first member alone once that shows a version', async () => {
    await waiting(people);
    await outcomes(people);
    expect(stack.registry.asked).toEqual([ONE]);
    expect(stack.registry.told.map(({ length }) => length)).toEqual([3]);
  });

  it('is read for each of them before and after, where members have none', async () => {
    await waiting(people, null);
    expect(await outcomes(people)).toEqual([SYNCED, SYNCED, SYNCED]);
    for (const kennitala of people)
      expect(stack.registry.asked.filter((asked) => asked === kennitala)).toHaveLength(2);
  });

  it('is not told what it shows already', async () => {
    await waiting([ONE, TWO], null);
    stack.registry.change(ONE, { contact_info: { email: `${ONE}@example.is` } });
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
    expect(stack.registry.told.map((told) => told.map(({ kennitala }) => kennitala))).toEqual([[TWO]]);
  });
});

describe('a member whom the registry shows in a way that cannot be read', () => {
  const unreadable = async (version: number | null) => {
    await waiting([ONE], version);
    stack.registry.change(ONE, { gender: 99 });
  };

  it('is told all the same by a registry whose members have versions: that one compares', async () => {
    await unreadable(1);
    await waiting([TWO]);
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
    expect(stack.dependencies.protocol.comparesExpected()).toBe(true);
    // So the others need no reading.
    expect(stack.registry.asked).toEqual([ONE]);
  });

  it('waits where they have none', async () => {
    await unreadable(null);
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'waiting', failure: { code: 'member_invalid' } }]);
    expect(stack.registry.told).toEqual([]);
  });
});

describe('a registry without versions is read before it is told', () => {
  const told = () => stack.registry.told.flat().map(({ changes }) => changes);
  const itemOf = () => stack.items()[0];

  it('that it has no such member: refused', async () => {
    await waiting([ONE], null);
    stack.registry.rows.delete(ONE);
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'done', refused: 1 }]);
    expect(itemOf()?.['error_message']).toBe('unknown_member: the registry has no such member');
    expect(told()).toEqual([]);
  });

  it('of several fields all have to be there already: otherwise it is told', async () => {
    await stack.load([ONE], null);
    stack.registry.change(ONE, { contact_info: { email: 'new@example.is', phone: '5550000' } });
    stack.edit(ONE, { [EMAIL]: 'new@example.is', 'profile.phone': '5559999' });
    for (const write of stack.edits.splice(0)) expect(await stack.track(write)).toBe('settled');
    expect(told()).toEqual([{ [EMAIL]: 'new@example.is', 'profile.phone': '5559999' }]);
    expect(stack.conflicts()).toEqual([]);
  });

  it('of a registration: refused where the member is there, done where all is as told, and otherwise told', async () => {
    const register = async (kennitala: Kennitala) => {
      const profile = { kennitala, name: 'Generated Person', email: 'new@example.is' };
      stack.memory.write('set', `members/${kennitala}`, { profile });
      for (const write of stack.edits.splice(0)) await stack.track(write);
      return stack.items().find((item) => item['kennitala'] === kennitala);
    };
    stack.registry.rows.set(ONE, { id: 1, ssn: ONE, name: 'Another Name', contact_info: {} } as never);
    expect(await register(ONE)).toMatchObject({
      sync_status: 'failed',
      error_message: 'already_exists: the registry has this member already',
    });
    expect(told()).toEqual([]);
    await register(TWO);
    expect(stack.registry.told.flat()).toMatchObject([{ action: 'create', kennitala: TWO }]);
    expect(stack.registry.told.flat()[0]).not.toHaveProperty('expected');
  });
});

describe('a delivery', () => {
  it('ends without a request where nobody has time any more, and is taken up when its claim expires', async () => {
    await waiting([ONE]);
    const [outcome] = await outcomes([ONE], { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({
      kind: 'busy',
      delivery: { paths: { [EMAIL]: { newValue: `${ONE}@example.is` } } },
      synced: 0,
    });
    expect(stack.registry.told).toEqual([]);
    stack.clock.ms += CLAIM_MS - 1;
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'busy' }]);
    stack.clock.ms += 1;
    expect(await outcomes([ONE])).toEqual([SYNCED]);
    expect(stack.logs.map(({ event }) => event)).toEqual(['claim_revived', 'edits_delivered']);
    expect(stack.logs[0]).toMatchObject({ member: 'm_0' });
  });

  it('ends after twenty requests where each answer asks for another', async () => {
    await waiting([ONE]);
    let n = 0;
    stack.registry.take = () => {
      n += 1;
      const current = { [EMAIL]: `theirs${n}@example.is` };
      return { status: 'conflict', current, version: 9, changedAt: at(-24 * 3_600_000) };
    };
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'busy', conflicts: 20 }]);
    expect(stack.registry.told).toHaveLength(20);
  });

  it('that somebody else has taken over ends nothing', async () => {
    await waiting([ONE]);
    const { apply } = stack.dependencies.registry;
    stack.dependencies.registry.apply = async (...given) => {
      stack.dependencies.registry.apply = apply;
      const answers = await apply(...given);
      stack.clock.ms += CLAIM_MS;
      expect(await outcomes([ONE])).toEqual([SYNCED]);
      return answers;
    };
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'busy', synced: 0 }]);
  });

  it('is in no conflict where the registry holds what it last took from the member', async () => {
    await waiting([ONE]);
    await outcomes([ONE]);
    const { metadata } = stack.memory.held(`members/${ONE}`) as { metadata: object };
    stack.memory.write('update', `members/${ONE}`, {
      [EMAIL]: 'older@example.is',
      metadata: { ...metadata, source_version: 0 },
    });
    const { take } = stack.registry;
    stack.registry.take = (change) =>
      change.expected?.[EMAIL] === `${ONE}@example.is`
        ? take(change)
        : { status: 'conflict', current: { [EMAIL]: `${ONE}@example.is` }, version: 2, changedAt: null };
    stack.edit(ONE, { [EMAIL]: 'newest@example.is' });
    for (const write of stack.edits.splice(0)) expect(await stack.track(write)).toBe('settled');
    expect([stack.conflicts(), stack.profileOf(ONE)['email']]).toEqual([[], 'newest@example.is']);
  });

  it('takes up what the member has edited meanwhile', async () => {
    await waiting([ONE]);
    const { take } = stack.registry;
    stack.registry.take = (change) => {
      stack.registry.take = take;
      stack.edit(ONE, { 'profile.phone': '5559999' });
      return take(change);
    };
    const tracking = stack.dependencies.registry.apply;
    stack.dependencies.registry.apply = async (...given) => {
      const answers = await tracking(...given);
      for (const edit of stack.edits.splice(0)) expect(await stack.track(edit)).toBe('queued');
      return answers;
    };
    expect(await outcomes([ONE])).toEqual([{ ...SYNCED, synced: 2 }]);
    expect(stack.registry.told.map(([change]) => change?.changes)).toEqual([
      { [EMAIL]: `${ONE}@example.is` },
      { 'profile.phone': '5559999' },
    ]);
  });

  it('waits for its time after a failed try, unless somebody is in a hurry', async () => {
    await waiting([ONE, TWO]);
    stack.registry.failure = new SyncError('registry_timeout', 'slow');
    await outcomes([ONE, TWO]);
    stack.registry.failure = null;
    const waits = { kind: 'waiting', until: at(30_000), failure: null, synced: 0 };
    expect(await outcomes([ONE, TWO])).toMatchObject([waits, waits]);
    expect(await outcomes([ONE])).toMatchObject([waits]);
    expect(stack.registry.told).toEqual([]);
    expect(await outcomes([ONE, TWO], { isUrgent: true })).toEqual([SYNCED, SYNCED]);
  });

  it('is not made where its claim fails', async () => {
    await waiting([ONE]);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits === 1;
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'failed', failure: { code: 'store_unavailable' } }]);
    expect(stack.registry.told).toEqual([]);
  });

  it('of two is claimed for each where it cannot be for both', async () => {
    await waiting([ONE, TWO]);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits === 1;
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
  });

  it('of somebody for whom nothing waits is done', async () => {
    await stack.load([ONE]);
    const nothing = { kind: 'done', synced: 0, refused: 0, conflicts: 0 };
    expect(await outcomes([ONE, TWO])).toEqual([nothing, nothing]);
    expect([stack.registry.told, stack.registry.asked, stack.logs]).toEqual([[], [], []]);
  });

  it('fails where its answer cannot be written down, and the same change goes out again', async () => {
    await waiting([ONE]);
    stack.dependencies.protocol.learn(true);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits > 1;
    expect(await outcomes([ONE])).toMatchObject([
      { kind: 'failed', failure: { code: 'store_unavailable' }, synced: 0 },
    ]);
    stack.firestore.fails = () => false;
    stack.clock.ms += CLAIM_MS;
    expect(await outcomes([ONE])).toEqual([SYNCED]);
    const [first, second] = stack.registry.told.flat();
    expect(second).toEqual(first);
  });
});

describe('the edits of more members than one request takes', () => {
  it('go to the registry a hundred a request, and one line of the log tells of each', async () => {
    await waiting(PEOPLE);
    const { told } = stack.registry;
    expect(await outcomes(PEOPLE)).toEqual(PEOPLE.map(() => SYNCED));
    expect(told.map(({ length }) => length).sort()).toEqual([1, 100]);
    expect(stack.logs).toEqual([
      expect.objectContaining({ event: 'edits_delivered', members: 1, synced: 1, milliseconds: 0 }),
      expect.objectContaining({ event: 'edits_delivered', members: 100, synced: 100 }),
    ]);
    expect(stack.items().every(({ sync_status }) => sync_status === 'synced')).toBe(true);
    expect(stack.profileOf(ONE)['email']).toBe(`${ONE}@example.is`);
  });
});
