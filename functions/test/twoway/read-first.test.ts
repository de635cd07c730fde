import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { type ErrorCode, SyncError } from '../../src/lib/errors.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { EMAIL, type MemoryStack, openMemoryStack } from './support/memory-stack.ts';

const [ONE, TWO, THREE] = makeKennitalas(3, 60_000) as [Kennitala, Kennitala, Kennitala];
const SYNCED = { kind: 'done', synced: 1, refused: 0, conflicts: 0 };

let stack: MemoryStack;
beforeEach(() => {
  stack = openMemoryStack();
});
const outcomes = async (kennitalas: readonly Kennitala[]) => {
  const delivered = await stack.deliver(kennitalas);
  return kennitalas.map((kennitala) => delivered.get(kennitala));
};

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
    await stack.queue(people);
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
    await stack.queue(people);
    await outcomes(people);
    expect(stack.registry.asked).toEqual([ONE]);
    expect(stack.registry.told.map(({ length }) => length)).toEqual([3]);
  });

  it('is read for each of them before and after, where members have none', async () => {
    await stack.queue(people, null);
    expect(await outcomes(people)).toEqual([SYNCED, SYNCED, SYNCED]);
    for (const kennitala of people)
      expect(stack.registry.asked.filter((asked) => asked === kennitala)).toHaveLength(2);
  });

  it('is not told what it shows already', async () => {
    await stack.queue([ONE, TWO], null);
    stack.registry.change(ONE, { contact_info: { email: `${ONE}@example.is` } });
    expect(await outcomes([ONE, TWO])).toEqual([SYNCED, SYNCED]);
    expect(stack.registry.told.map((told) => told.map(({ kennitala }) => kennitala))).toEqual([[TWO]]);
  });
});

describe('a member whom the registry shows in a way that cannot be read', () => {
  const unreadable = async (version: number | null) => {
    await stack.queue([ONE], version);
    stack.registry.change(ONE, { gender: 99 });
  };

  it('is told all the same by a registry whose members have versions: that one compares', async () => {
    await unreadable(1);
    await stack.queue([TWO]);
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
    await stack.queue([ONE], null);
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

it('a registration of somebody whom the registry has not had is read first by no registry that compares', async () => {
  stack.dependencies.protocol.learn(true);
  let askedBefore: readonly unknown[] = [];
  stack.registry.take = () => {
    askedBefore = [...stack.registry.asked];
    return { status: 'success', version: 1 };
  };
  stack.memory.write('set', `members/${ONE}`, { profile: { kennitala: ONE, name: 'Generated Person' } });
  for (const write of stack.edits.splice(0)) expect(await stack.track(write)).toBe('settled');
  expect(stack.registry.told.flat()).toMatchObject([{ action: 'create' }]);
  expect(askedBefore).toEqual([]);
  // Afterwards it is, once: the row's id is in no other answer.
  expect(stack.registry.asked).toEqual([ONE]);
});
