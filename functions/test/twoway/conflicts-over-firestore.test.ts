import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { decideConflictOnDemand, type ResolveRequest } from '../../src/twoway/resolve-conflict.ts';
import { startTwoWayStack, type TwoWayStack } from '../support/stack.ts';

const OPERATOR = { kind: 'person', id: 'operator-7' } as const;
const HOUR_MS = 3_600_000;

let stack: TwoWayStack;
let next = 0;
beforeAll(async () => {
  stack = await startTwoWayStack({ members: 40 });
});
afterAll(async () => {
  await stack.close();
});
beforeEach(() => {
  stack.registry.reset();
  stack.mode.holds = false;
  stack.held.length = 0;
});

/** What the registry does is dated so many hours from now. */
const laterBy = (hours: number, act: () => unknown): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * HOUR_MS });
  act();
  vi.useRealTimers();
};

/**
 * The registry and the member change the same field, and neither has heard of the other.
 * @param hoursBetween From the registry's change to the member's; below zero, the registry came later.
 */
const bothChange = async (registrysEmail: string, portalsEmail: string, hoursBetween = 0) => {
  next += 1;
  const id = next;
  const [kennitala = ''] = await stack.load(id);
  await stack.settled();
  stack.registry.webhooks?.pause();
  stack.mode.holds = true;
  laterBy(Math.max(0, -hoursBetween), () =>
    stack.registry.updateMember(id, { contact_info: { email: registrysEmail } }),
  );
  await stack.edit(kennitala, { 'profile.email': portalsEmail });
  const [change] = await stack.heldEdits(1);
  if (change === undefined) throw new Error('No event came.');
  stack.mode.holds = false;
  await stack.deliver(change, Math.max(0, hoursBetween) * HOUR_MS);
  stack.registry.webhooks?.resume();
  await stack.settled();
  const conflict = (await stack.conflicts()).find((it) => it['kennitala'] === kennitala);
  return { id, kennitala, conflict, changeId: conflict?.id ?? '' };
};
const emails = async (id: number, kennitala: string) => ({
  registry: stack.registry.member(id).contact_info.email,
  portal: (await stack.member(kennitala))['profile']['email'],
});
const resolve = (request: Omit<ResolveRequest, 'path'>) =>
  decideConflictOnDemand(
    { path: 'profile.email', ...request },
    OPERATOR,
    AbortSignal.timeout(5_000),
    stack.dependencies,
  );
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (cause: unknown) => (cause instanceof SyncError ? cause.code : String(cause)),
  );

describe('when both sides have changed a field', () => {
  it('within an hour, the registry stands, both values are kept, and it waits for a person', async () => {
    const { id, kennitala, conflict } = await bothChange('registry@example.is', 'portal@example.is');
    expect(await emails(id, kennitala)).toEqual({
      registry: 'registry@example.is',
      portal: 'registry@example.is',
    });
    expect(conflict).toMatchObject({
      state: 'open',
      expireAt: null,
      paths: {
        'profile.email': {
          portal: { value: 'portal@example.is' },
          registry: { value: 'registry@example.is' },
          winner: 'registry',
          reason: 'too-close',
          state: 'open',
          resolution: null,
        },
      },
    });
    const [item] = (await stack.items()).filter((it) => it['kennitala'] === kennitala);
    expect(item).toMatchObject({ sync_status: 'conflict' });
  });

  it('and the member did so hours later, their value wins, and the other one is kept', async () => {
    const { id, kennitala, conflict } = await bothChange('old@example.is', 'newer@example.is', 5);
    expect(await emails(id, kennitala)).toEqual({ registry: 'newer@example.is', portal: 'newer@example.is' });
    expect(conflict).toMatchObject({
      state: 'resolved',
      paths: {
        'profile.email': { winner: 'portal', reason: 'later', registry: { value: 'old@example.is' } },
      },
    });
  });

  it('and the registry did so hours later, its value stands and nobody needs to look', async () => {
    const { id, kennitala, conflict } = await bothChange('newer@example.is', 'old@example.is', -5);
    expect(await emails(id, kennitala)).toEqual({ registry: 'newer@example.is', portal: 'newer@example.is' });
    expect(conflict).toMatchObject({
      state: 'resolved',
      paths: {
        'profile.email': { winner: 'registry', reason: 'later', portal: { value: 'old@example.is' } },
      },
    });
  });

  it('to the same value, there is no conflict', async () => {
    const { id, kennitala, conflict } = await bothChange('same@example.is', 'same@example.is');
    expect(conflict).toBeUndefined();
    expect(await emails(id, kennitala)).toEqual({ registry: 'same@example.is', portal: 'same@example.is' });
  });

  it('the log names the member by reference alone', async () => {
    const { kennitala, changeId } = await bothChange('registry@example.is', 'portal@example.is');
    const entry = stack.logs.find(({ fields }) => fields['conflict'] === changeId);
    expect(entry).toMatchObject({
      severity: 'WARNING',
      fields: { event: 'edit_conflict', paths: ['profile.email'] },
    });
    const all = JSON.stringify(stack.logs);
    expect(all).not.toContain(kennitala);
    expect(all).not.toContain('example.is');
  });
});

describe('an operator decides an open conflict', () => {
  it.each([
    { keep: 'portal' as const, ends: 'portal@example.is' },
    { keep: 'registry' as const, ends: 'registry@example.is' },
    { keep: 'value' as const, value: 'third@example.is', ends: 'third@example.is' },
  ])('keeping the $keep: both sides hold it, and who decided is on record', async ({ ends, ...request }) => {
    const { id, kennitala, changeId } = await bothChange('registry@example.is', 'portal@example.is');
    const answer = await resolve({ conflict: changeId, ...request });
    expect(answer).toEqual({ delivered: true, queued: request.keep !== 'registry' });
    await stack.settled();
    expect(await emails(id, kennitala)).toEqual({ registry: ends, portal: ends });
    const conflict = (await stack.conflicts()).find((it) => it.id === changeId);
    expect(conflict).toMatchObject({
      state: 'resolved',
      paths: {
        'profile.email': {
          state: 'resolved',
          resolution: { keep: request.keep, value: ends, by: 'operator-7' },
        },
      },
    });
    expect((await stack.conflicts()).filter((it) => it['kennitala'] === kennitala)).toHaveLength(1);
  });

  it('deciding the same twice changes nothing, deciding otherwise is refused', async () => {
    const { changeId } = await bothChange('registry@example.is', 'portal@example.is');
    await resolve({ conflict: changeId, keep: 'portal' });
    await stack.settled();
    const before = await stack.items();
    expect(await codeOf(resolve({ conflict: changeId, keep: 'portal' }))).toBe('done');
    expect(await codeOf(resolve({ conflict: changeId, keep: 'registry' }))).toBe('already_done');
    expect(await stack.items()).toEqual(before);
  });

  it('a choice between values that are both out of date is refused, but can be closed', async () => {
    const { id, kennitala, changeId } = await bothChange('registry@example.is', 'portal@example.is');
    await stack.edit(kennitala, { 'profile.email': 'later@example.is' });
    await stack.settled();
    expect(await codeOf(resolve({ conflict: changeId, keep: 'portal' }))).toBe('plan_changed');
    expect(await codeOf(resolve({ conflict: changeId, keep: 'registry' }))).toBe('done');
    expect(await emails(id, kennitala)).toEqual({ registry: 'later@example.is', portal: 'later@example.is' });
  });

  it.each([
    ['there is no such conflict', { conflict: 'none', keep: 'portal' as const }, 'invalid_request'],
    ['the value is not one of the field', { keep: 'value' as const, value: 7 }, 'invalid_request'],
  ])('it is refused when %s', async (_, request, code) => {
    const { changeId } = await bothChange('registry@example.is', 'portal@example.is');
    expect(await codeOf(resolve({ conflict: changeId, ...request }))).toBe(code);
  });
});
