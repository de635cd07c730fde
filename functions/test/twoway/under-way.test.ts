import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import type { OutboxRow } from '../../src/registry/ports.ts';
import { pullChanges } from '../../src/twoway/sweep.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { type MemoryStack, openMemoryStack } from './support/memory-stack.ts';

const PEOPLE = makeKennitalas(500, 78_000) as Kennitala[];
const TWENTY = PEOPLE.slice(0, 20);

let stack: MemoryStack;
beforeEach(() => {
  stack = openMemoryStack();
});

/** The function, and how many of its calls were under way at once. */
const counting = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => {
  const count = { now: 0, most: 0 };
  const counted = async (...args: Args): Promise<T> => {
    count.now += 1;
    count.most = Math.max(count.most, count.now);
    try {
      await new Promise(setImmediate);
      return await call(...args);
    } finally {
      count.now -= 1;
    }
  };
  return { count, counted };
};

describe('how much is under way at once', () => {
  it('is four requests of a hundred members', async () => {
    const sizes: number[] = [];
    const { count, counted } = counting(async (kennitalas: readonly Kennitala[]) => {
      sizes.push(kennitalas.length);
      return new Map(kennitalas.map((kennitala) => [kennitala, { kind: 'nothing' }]));
    });
    stack.dependencies.store.transactAll = counted as never;
    const outcomes = await stack.deliver(PEOPLE);
    expect([...outcomes.values()].every(({ kind }) => kind === 'done')).toBe(true);
    expect([sizes, count.most]).toEqual([[100, 100, 100, 100, 100], 4]);
  });

  it('is sixteen members, as they are claimed, read and settled one by one', async () => {
    await stack.queue(TWENTY, null);
    const { store, registryMembers } = stack.dependencies;
    store.transactAll = async () => {
      throw new SyncError('store_unavailable', 'too many at once');
    };
    const transactions = counting(store.transact);
    store.transact = transactions.counted as typeof store.transact;
    const readings = counting(registryMembers.read);
    stack.dependencies.registryMembers.read = readings.counted;
    const outcomes = await stack.deliver(TWENTY);
    expect([...outcomes.values()].map(({ synced }) => synced)).toEqual(TWENTY.map(() => 1));
    expect([transactions.count.most, readings.count.most]).toEqual([16, 16]);
  });

  it('is eight members of the registry’s change queue', async () => {
    await stack.load(TWENTY);
    const { reader } = stack.dependencies;
    const readings = counting(reader.readMember);
    reader.readMember = readings.counted;
    stack.registry.outbox.push(
      TWENTY.map((ssn, n): OutboxRow => ({ id: n, ssn, action: 'update', createdAt: stack.now() })),
    );
    const { signal } = new AbortController();
    const pulled = await pullChanges(signal, { ...stack.dependencies, registry: reader });
    expect([pulled, readings.count.most]).toEqual([{ success: 20, failed: 0 }, 8]);
  });
});
