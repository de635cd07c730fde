import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { CLAIM_MS } from '../../src/twoway/claim.ts';
import type { DocumentWrite } from '../../src/twoway/ports.ts';
import { tryEdit } from '../../src/twoway/track.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { EMAIL, type MemoryStack, NOW, openMember, openMemoryStack } from './support/memory-stack.ts';

const [ONE, NEWCOMER] = makeKennitalas(2, 66_000) as [Kennitala, Kennitala];
const PHONE = 'profile.phone';
const REACHABLE = 'profile.reachable';

let stack: MemoryStack;
beforeEach(async () => {
  stack = openMemoryStack();
  await stack.load([ONE]);
});

const { edited, tracked } = openMember(() => stack, ONE);
const away = new SyncError('registry_unreachable', 'away');

describe('what a write asks of the registry', () => {
  it('is nothing where a server wrote it, where it deleted the document, or changed nothing that goes there', () => {
    const write = edited({ [EMAIL]: 'new@example.is' });
    expect(tryEdit(write)).not.toBeNull();
    expect(tryEdit({ ...write, isServers: true })).toBeNull();
    expect(tryEdit({ ...write, after: null })).toBeNull();
    expect(tryEdit({ ...write, after: write.before })).toBeNull();
    expect(tryEdit(edited({ 'profile.name': 'Another Name' }))).toBeNull();
  });

  it('is each field that differs, with what it was', () => {
    const write = edited({ [EMAIL]: 'new@example.is', [REACHABLE]: true, 'profile.name': 'Another Name' });
    expect(tryEdit(write)).toEqual({
      id: write.eventId,
      kennitala: ONE,
      djangoId: 1,
      action: 'update',
      editedAt: write.at,
      isContinuation: false,
      changes: {
        [EMAIL]: { oldValue: 'old0@example.is', newValue: 'new@example.is' },
        [REACHABLE]: { oldValue: false, newValue: true },
      },
    });
  });

  it('goes on with an earlier edit where the document was not as the registry had it', () => {
    edited({ [EMAIL]: 'new@example.is' });
    expect(tryEdit(edited({ [PHONE]: '5559999' }))).toMatchObject({ isContinuation: true });
  });

  it('is a registration where the document is new', () => {
    const profile = { kennitala: NEWCOMER, name: 'Generated Person', email: 'new@example.is' };
    stack.memory.write('set', `members/${NEWCOMER}`, { profile });
    const edit = tryEdit(stack.edits.at(-1) as DocumentWrite);
    expect(edit).toMatchObject({ action: 'create', djangoId: null, isContinuation: false });
    expect(edit?.changes).toMatchObject({
      'profile.name': { oldValue: null, newValue: 'Generated Person' },
      [EMAIL]: { oldValue: null, newValue: 'new@example.is' },
    });
  });
});

describe('an event of an edit', () => {
  it('that asks nothing is ignored, and nothing is read', async () => {
    const write = edited({ 'profile.name': 'Another Name' });
    stack.firestore.fails = () => true;
    expect(await tracked(write)).toBe('ignored');
  });

  it('is told to the registry, and told of once however often it comes', async () => {
    const write = edited({ [EMAIL]: 'new@example.is' });
    expect(await tracked(write)).toBe('settled');
    expect(await tracked(write)).toBe('settled');
    expect(stack.registry.told).toHaveLength(1);
    expect(stack.logs.filter(({ event }) => event === 'edit_tracked')).toEqual([
      { event: 'edit_tracked', member: 'm_0', paths: [EMAIL] },
    ]);
  });

  it('of a document that is gone by now is ignored, and told of', async () => {
    const write = edited({ [EMAIL]: 'new@example.is' });
    stack.memory.write('delete', `members/${ONE}`, {});
    expect(await tracked(write)).toBe('ignored');
    expect([stack.items(), stack.registry.told]).toEqual([[], []]);
    expect(stack.logs).toEqual([{ event: 'edit_of_nobody', member: 'm_0' }]);
  });

  it('comes again while the registry is away, and while its next try is later', async () => {
    const write = edited({ [EMAIL]: 'new@example.is' });
    stack.registry.failure = away;
    expect(await tracked(write)).toMatchObject({ code: 'registry_unreachable', message: 'away' });
    stack.registry.failure = null;
    const until = new Date(NOW + 1_000 + 30_000).toISOString();
    expect(await tracked(write)).toEqual({
      code: 'registry_unavailable',
      message: `The edit is tried again at ${until}.`,
    });
    stack.clock.ms += 30_000;
    expect(await tracked(write)).toBe('settled');
  });

  it('comes again where the store fails, before and after it was written down', async () => {
    const write = edited({ [EMAIL]: 'new@example.is' });
    stack.firestore.fails = () => true;
    expect(await tracked(write)).toMatchObject({ code: 'store_unavailable' });
    let commits = 0;
    stack.firestore.fails = (what) => what === 'commit a transaction' && ++commits > 1;
    expect(await tracked(write)).toMatchObject({ code: 'store_unavailable' });
    expect(stack.items()).toMatchObject([{ sync_status: 'pending' }]);
  });

  it('comes again while another process delivers this very edit, which may have died', async () => {
    const write = edited({ [EMAIL]: 'new@example.is' });
    const { apply } = stack.dependencies.registry;
    const beside: unknown[] = [];
    stack.dependencies.registry.apply = async (...given) => {
      beside.push(await tracked(write));
      // An edit of another field is taken up by whoever delivers.
      beside.push(await tracked(edited({ [PHONE]: '5559999' })));
      return apply(...given);
    };
    await tracked(write);
    expect(beside[0]).toEqual({
      code: 'registry_unavailable',
      message: 'Another delivery of this edit is under way.',
    });
    expect(beside[1]).toBe('queued');
    expect(stack.clock.ms).toBeLessThan(NOW + CLAIM_MS);
  });

  it('comes again also where that carries a later one of but one of its fields', async () => {
    const first = edited({ [EMAIL]: 'first@example.is', [PHONE]: '5559999' });
    const second = edited({ [EMAIL]: 'second@example.is' });
    const { apply } = stack.dependencies.registry;
    const beside: unknown[] = [];
    stack.dependencies.registry.apply = async (...given) => {
      stack.dependencies.registry.apply = apply;
      beside.push(await tracked(first));
      return apply(...given);
    };
    await tracked(second);
    expect(beside).toMatchObject([{ message: 'Another delivery of this edit is under way.' }]);
  });
});

describe('an edit that cannot be kept', () => {
  it('goes back also where the member said something of their consents with it', async () => {
    await tracked(edited({ [EMAIL]: 'a\ud800', [REACHABLE]: true }));
    expect(stack.profileOf(ONE)).toMatchObject({ email: 'old0@example.is', reachable: true });
    expect(stack.memory.held(`members/${ONE}`)?.['metadata']).toMatchObject({ heard: { reachable: true } });
  });

  it('goes back to what it started from, beside one of another field that is delivered', async () => {
    expect(await tracked(edited({ [EMAIL]: 'a\ud800', [PHONE]: '5559999' }))).toBe('settled');
    expect(stack.items()).toMatchObject([
      {
        sync_status: 'failed',
        error_message: 'a value that cannot be stored as it is written',
        settled: { [EMAIL]: { outcome: 'failed' }, [PHONE]: { outcome: 'synced' } },
      },
    ]);
    expect(stack.profileOf(ONE)).toMatchObject({ email: 'old0@example.is', phone: '5559999' });
    expect(stack.registry.told.flat().map(({ changes }) => changes)).toEqual([{ [PHONE]: '5559999' }]);
  });
});
