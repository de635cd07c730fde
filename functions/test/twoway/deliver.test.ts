import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { ChangeAnswer } from '../../src/registry/ports.ts';
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

const outcomes = async (...given: Parameters<MemoryStack['deliver']>) => {
  const delivered = await stack.deliver(...given);
  return given[0].map((kennitala) => delivered.get(kennitala));
};

describe('the edits of many members', () => {
  it('end each for itself: taken, refused, in conflict, and one that was taken later', async () => {
    const people = PEOPLE.slice(0, 4);
    await stack.queue(people);
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
    await stack.queue(people);
    stack.dependencies.protocol.learn(true);
    let commits = 0;
    // The first claims all of them, the second settles all of them.
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits === 2;
    expect(await outcomes(people)).toEqual([SYNCED, SYNCED, SYNCED]);
    expect(stack.registry.told).toHaveLength(1);
  });

  it('are claimed one by one where the store does not claim them together, and one may fail', async () => {
    const people = [ONE, TWO, THREE];
    await stack.queue(people);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits <= 2;
    const [failed, ...others] = await outcomes(people);
    expect(failed).toMatchObject({ kind: 'failed', failure: { code: 'store_unavailable' }, synced: 0 });
    expect(others).toEqual([SYNCED, SYNCED]);
    expect(stack.registry.told.map(({ length }) => length)).toEqual([2]);
  });

  it('say nothing in the log where nothing was taken', async () => {
    await stack.queue([ONE, TWO]);
    stack.registry.take = () => ({ status: 'refused', code: 'invalid_value', message: 'no' });
    await outcomes([ONE, TWO]);
    expect(stack.logs.map(({ event }) => event)).toEqual(['edit_refused', 'edit_refused']);
  });
});

describe('the edits of two members', () => {
  it('are claimed and settled together, and that of one by itself', async () => {
    await stack.queue([ONE, TWO, THREE]);
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
    await stack.queue([ONE, TWO]);
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

describe('a delivery', () => {
  it('ends without a request where nobody has time any more, and is taken up when its claim expires', async () => {
    await stack.queue([ONE]);
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
    await stack.queue([ONE]);
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
    await stack.queue([ONE]);
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
    await stack.queue([ONE]);
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
    await stack.queue([ONE]);
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
    await stack.queue([ONE, TWO]);
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
    await stack.queue([ONE]);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits === 1;
    expect(await outcomes([ONE])).toMatchObject([{ kind: 'failed', failure: { code: 'store_unavailable' } }]);
    expect(stack.registry.told).toEqual([]);
  });

  it('of two is claimed for each where it cannot be for both', async () => {
    await stack.queue([ONE, TWO]);
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits === 1;
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
  });

  it('reads nothing but what waits where no edit came from a former number', async () => {
    await stack.queue([ONE]);
    stack.dependencies.protocol.learn(true);
    const { store } = stack.dependencies;
    const { transact } = store;
    const asked: unknown[] = [];
    store.transact = (kennitala, reads, ...given) => {
      asked.push(reads);
      return transact(kennitala, reads, ...given);
    };
    expect(await outcomes([ONE])).toEqual([SYNCED]);
    // It is claimed and settled.
    expect(asked).toEqual([{}, {}]);
  });

  it('of somebody for whom nothing waits is done', async () => {
    await stack.load([ONE]);
    const nothing = { kind: 'done', synced: 0, refused: 0, conflicts: 0 };
    expect(await outcomes([ONE, TWO])).toEqual([nothing, nothing]);
    expect([stack.registry.told, stack.registry.asked, stack.logs]).toEqual([[], [], []]);
  });

  it('fails where its answer cannot be written down, and the same change goes out again', async () => {
    await stack.queue([ONE]);
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
    await stack.queue(PEOPLE);
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
