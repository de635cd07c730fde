import { FieldValue } from 'firebase-admin/firestore';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { makeTwoWayActions } from '../../src/ops/two-way-actions.ts';
import { applyReading } from '../../src/portal/apply-event.ts';
import type { DocumentWrite } from '../../src/twoway/ports.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { EMAIL, type MemoryStack, openMember, openMemoryStack } from './support/memory-stack.ts';

const [ONE] = makeKennitalas(1, 67_000) as [Kennitala];
const PHONE = 'profile.phone';
const REACHABLE = 'profile.reachable';

let stack: MemoryStack;
beforeEach(async () => {
  stack = openMemoryStack();
  await stack.load([ONE]);
});

const { edited, tracked } = openMember(() => stack, ONE);
const outcomesOf = (path = EMAIL) =>
  stack
    .items()
    .sort((a, b) => a['edited_at'].toMillis() - b['edited_at'].toMillis())
    .map(({ settled }) => settled[path]?.outcome);
const { signal } = new AbortController();
const away = new SyncError('registry_unreachable', 'away');

describe('an edit whose event comes behind a later one', () => {
  it('is superseded where the later one has ended, and delivered where that was of another field', async () => {
    const first = edited({ [EMAIL]: 'first@example.is', [PHONE]: '5551111' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    stack.registry.change(ONE, { contact_info: { email: 'first@example.is' } });
    expect(await tracked(second)).toBe('settled');
    expect(await tracked(first)).toBe('settled');
    expect(outcomesOf()).toEqual(['superseded', 'synced']);
    expect(outcomesOf(PHONE)).toEqual(['synced', undefined]);
    expect(stack.registry.told.flat().map(({ changes }) => changes)).toEqual([
      { [EMAIL]: 'second@example.is' },
      { [PHONE]: '5551111' },
    ]);
  });

  it('asks for no conflicts where the later one met none', async () => {
    const first = edited({ [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    await tracked(second);
    const { store } = stack.dependencies;
    const { transact } = store;
    const asked: unknown[] = [];
    store.transact = (kennitala, reads, ...given) => {
      asked.push(reads.openConflicts);
      return transact(kennitala, reads, ...given);
    };
    expect(await tracked(first)).toBe('settled');
    // It is tracked, and then claimed, where nothing is left to deliver.
    expect(asked).toEqual([undefined, undefined]);
  });

  it('is not superseded by one that was earlier', async () => {
    const first = edited({ [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    expect(await tracked(first)).toBe('settled');
    expect(await tracked(second)).toBe('settled');
    expect(outcomesOf()).toEqual(['synced', 'synced']);
  });

  it.each([
    ['it shows what that one went back to', {}, 'old0@example.is'],
    [
      'the registry has that value itself',
      { contact_info: { email: 'first@example.is' } },
      'first@example.is',
    ],
  ])('takes the portal back beyond a dead letter: %s', async (_what, changed, shown) => {
    const first = edited({ [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    stack.registry.failure = away;
    expect(await tracked(second)).toEqual({ code: 'registry_unreachable', message: 'away' });
    const [{ id = '' } = {}] = stack.items();
    await makeTwoWayActions(stack.dependencies).fail(ONE, id);
    expect(stack.profileOf(ONE)['email']).toBe('first@example.is');
    stack.registry.failure = null;
    stack.registry.change(ONE, { ...changed, version: 9 });
    const { reader: registry } = stack.dependencies;
    if ('contact_info' in changed)
      await applyReading({ kennitala: ONE, action: 'update' }, null, signal, {
        ...stack.dependencies,
        registry,
      });
    expect(await tracked(first)).toBe('settled');
    expect(outcomesOf()).toEqual(['superseded', 'failed']);
    expect(stack.profileOf(ONE)['email']).toBe(shown);
  });

  it.each([
    ['what the registry has by now', null, 'theirs@example.is'],
    ['what it started from, where the registry cannot be read', away, 'old0@example.is'],
  ])('given up by an operator shows %s', async (_what, failure, shown) => {
    const only = edited({ [EMAIL]: 'first@example.is' });
    stack.registry.failure = away;
    await tracked(only);
    stack.registry.failure = failure;
    stack.registry.change(ONE, { contact_info: { email: 'theirs@example.is' }, version: 9 });
    const [{ id = '' } = {}] = stack.items();
    await makeTwoWayActions(stack.dependencies).fail(ONE, id);
    expect(outcomesOf()).toEqual(['failed']);
    expect(stack.profileOf(ONE)['email']).toBe(shown);
  });

  it('switches no consent on again that a later one, a dead letter, has taken back', async () => {
    stack.registry.change(ONE, { reachable: true, version: 5 });
    const { reader: registry } = stack.dependencies;
    await applyReading({ kennitala: ONE, action: 'update' }, null, signal, {
      ...stack.dependencies,
      registry,
    });
    const first = edited({ [REACHABLE]: false });
    edited({ [REACHABLE]: true });
    const last = edited({ [REACHABLE]: false });
    stack.registry.take = () => ({ status: 'refused', code: 'invalid_value', message: 'no' });
    expect(await tracked(last)).toBe('settled');
    expect(await tracked(first)).toBe('settled');
    expect(outcomesOf(REACHABLE)).toEqual(['superseded', 'failed']);
    expect(stack.profileOf(ONE)['reachable']).toBe(false);
  });

  /** The registry compares what the change was made on; it holds `held` until it is told otherwise. */
  const comparing = (held: string, path = EMAIL) => {
    let value: unknown = held;
    stack.registry.take = ({ changes, expected }) => {
      if (expected?.[path] !== value)
        return { status: 'conflict', current: { [path]: value } as never, version: 1, changedAt: null };
      value = changes[path];
      return { status: 'success', version: 2 };
    };
    return () => value;
  };

  it('explains the conflict that the later one met, which closes itself', async () => {
    const first = edited({ [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    const held = comparing('old0@example.is');
    stack.clock.ms += 20_000;
    expect(await tracked(second)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([{ state: 'open' }]);
    expect(stack.profileOf(ONE)['email']).toBe('old0@example.is');
    expect(await tracked(first)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([
      {
        state: 'resolved',
        paths: { [EMAIL]: { resolution: { keep: 'portal', value: 'second@example.is', by: 'late-edit' } } },
      },
    ]);
    expect([held(), stack.profileOf(ONE)['email']]).toEqual(['second@example.is', 'second@example.is']);
    expect(outcomesOf()).toEqual(['superseded', 'synced']);
  });

  it('explains it with one of its fields, and the other is superseded by nothing that was earlier', async () => {
    const earliest = edited({ [PHONE]: '5551111' });
    const first = edited({ [EMAIL]: 'first@example.is', [PHONE]: '5552222' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    const held = comparing('old0@example.is');
    const { take } = stack.registry;
    stack.registry.take = (change) =>
      EMAIL in change.changes ? take(change) : { status: 'success', version: 2 };
    await tracked(earliest);
    stack.clock.ms += 20_000;
    await tracked(second);
    expect(stack.conflicts()).toMatchObject([{ state: 'open' }]);
    expect(await tracked(first)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([{ state: 'resolved' }]);
    expect(held()).toBe('second@example.is');
    expect(outcomesOf(PHONE)).toEqual(['synced', 'synced', undefined]);
  });

  it('explains it also where the member has written another field since', async () => {
    const first = edited({ [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    const held = comparing('old0@example.is');
    const { take } = stack.registry;
    stack.registry.take = (change) =>
      EMAIL in change.changes ? take(change) : { status: 'success', version: 2 };
    stack.clock.ms += 20_000;
    await tracked(second);
    await tracked(edited({ [PHONE]: '5551111' }));
    await tracked(first);
    expect(stack.conflicts()).toMatchObject([{ paths: { [EMAIL]: { resolution: { keep: 'portal' } } } }]);
    expect(held()).toBe('second@example.is');
  });

  it('explains it with another one in between', async () => {
    const [first, second, third] = ['first', 'second', 'third'].map((it) =>
      edited({ [EMAIL]: `${it}@example.is` }),
    );
    const held = comparing('old0@example.is');
    stack.clock.ms += 20_000;
    for (const write of [third, second]) await tracked(write as DocumentWrite);
    expect(stack.conflicts()).toMatchObject([{ state: 'open' }]);
    expect(await tracked(first as DocumentWrite)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([{ state: 'resolved' }]);
    expect(held()).toBe('third@example.is');
    expect(outcomesOf()).toEqual(['superseded', 'superseded', 'synced']);
  });

  it('explains it without a change where the member has written there once more since', async () => {
    const first = edited({ [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    const held = comparing('old0@example.is');
    stack.clock.ms += 20_000;
    await tracked(second);
    expect(await tracked(edited({ [EMAIL]: 'last@example.is' }))).toBe('settled');
    expect(await tracked(first)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([
      {
        state: 'resolved',
        paths: { [EMAIL]: { resolution: { keep: 'registry', value: 'old0@example.is' } } },
      },
    ]);
    expect([held(), stack.profileOf(ONE)['email']]).toEqual(['last@example.is', 'last@example.is']);
    expect(outcomesOf()).toEqual(['superseded', 'conflict', 'synced']);
  });

  it.each([
    ['the registry had written there too', 'office@example.is', 'first@example.is'],
    ['the edit leads elsewhere', 'old0@example.is', 'elsewhere@example.is'],
  ])('leaves the conflict open where %s', async (_what, inRegistry, ledTo) => {
    const first = edited({ [EMAIL]: ledTo });
    stack.edit(ONE, { [EMAIL]: 'first@example.is' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    comparing(inRegistry);
    stack.clock.ms += 20_000;
    await tracked(second);
    expect(await tracked(first)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([{ state: 'open', paths: { [EMAIL]: { resolution: null } } }]);
    expect(outcomesOf()).toEqual(['superseded', 'conflict']);
  });

  it('of another field than the conflict’s leaves that open', async () => {
    const first = edited({ [PHONE]: '5551111' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    comparing('office@example.is');
    stack.clock.ms += 20_000;
    await tracked(second);
    const { take } = stack.registry;
    stack.registry.take = ({ changes, ...change }) =>
      PHONE in changes ? { status: 'success', version: 3 } : take({ changes, ...change });
    expect(await tracked(first)).toBe('settled');
    expect(stack.conflicts()).toMatchObject([{ state: 'open' }]);
    expect(outcomesOf(PHONE)).toEqual(['synced', undefined]);
  });
});

describe('a withdrawn consent that the registry’s word showed again before its event came', () => {
  /** A server wrote what the registry says over what the document had. */
  let words = 0;
  const overwritten = (reachable: boolean) => {
    words += 1;
    stack.clock.ms += 1;
    const { metadata } = stack.memory.held(`members/${ONE}`) as { metadata: object };
    const heard = { reachable, written_over: { reachable: FieldValue.serverTimestamp() } };
    stack.memory.write('update', `members/${ONE}`, {
      [REACHABLE]: reachable,
      metadata: { ...metadata, heard, source_hash: `of word ${words}` },
    });
  };
  beforeEach(() => {
    stack.registry.failure = away;
    overwritten(true);
    stack.edits.length = 0;
  });

  it('is off at once', async () => {
    const withdrawal = edited({ [REACHABLE]: false });
    overwritten(true);
    expect(await tracked(withdrawal)).toMatchObject({ code: 'registry_unreachable' });
    expect(stack.profileOf(ONE)['reachable']).toBe(false);
  });

  it('stays on where no server has written: the member gave it again', async () => {
    const withdrawal = edited({ [REACHABLE]: false });
    edited({ [REACHABLE]: true });
    await tracked(withdrawal);
    expect(stack.profileOf(ONE)['reachable']).toBe(true);
  });

  it('stays on where a later edit of it is known', async () => {
    const withdrawal = edited({ [REACHABLE]: false });
    await tracked(edited({ [REACHABLE]: true }));
    overwritten(true);
    await tracked(withdrawal);
    expect(stack.profileOf(ONE)['reachable']).toBe(true);
  });

  it('is a matter of what was withdrawn alone', async () => {
    overwritten(false);
    const given = edited({ [REACHABLE]: true, [EMAIL]: 'new@example.is' });
    overwritten(true);
    await tracked(given);
    expect(stack.profileOf(ONE)).toMatchObject({ reachable: true, email: 'new@example.is' });
  });
});
