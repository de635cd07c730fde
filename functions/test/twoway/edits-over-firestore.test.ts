import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTwoWayStack, type TwoWayStack } from '../support/stack.ts';

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
  stack.requests.length = 0;
  stack.outcomes.length = 0;
  stack.mode.holds = false;
  stack.held.length = 0;
});

/** A member of this test alone: the row in the registry, and the document in the portal. */
const someone = async () => {
  next += 1;
  const [kennitala = ''] = await stack.load(next);
  await stack.settled();
  return { id: next, kennitala };
};
const emailOf = (id: number) => stack.registry.member(id).contact_info.email;
const itemsOf = async (kennitala: string) =>
  (await stack.items()).filter((item) => item['kennitala'] === kennitala);

const conflictsOf = async (kennitala: string) =>
  (await stack.conflicts()).filter((conflict) => conflict['kennitala'] === kennitala);

describe("a member's own edit", () => {
  it('reaches the registry at once, and comes back as an event that changes nothing', async () => {
    const { id, kennitala } = await someone();
    await stack.edit(kennitala, { 'profile.email': 'nytt@example.is' });
    await stack.settled();
    expect(emailOf(id)).toBe('nytt@example.is');
    const [item, ...others] = await itemsOf(kennitala);
    expect(others).toEqual([]);
    expect(item).toMatchObject({
      source: 'firestore',
      target: 'django',
      django_id: id,
      action: 'update',
      sync_status: 'synced',
      changes: { 'profile.email': { new_value: 'nytt@example.is' } },
      retry_count: 0,
      error_message: null,
    });
    const member = await stack.member(kennitala);
    expect(member['metadata']['source_version']).toBe(stack.registry.member(id).version);
    expect(member['profile']['email']).toBe('nytt@example.is');
    expect(stack.requests).toEqual(['apply 1']);
    expect(stack.registry.summary().pending_changes).toBe(0);
  });

  it('of two fields at once is one change', async () => {
    const { id, kennitala } = await someone();
    await stack.edit(kennitala, {
      'profile.email': 'b@example.is',
      'profile.reachable': true,
      'profile.phone': '5551234',
    });
    await stack.settled();
    expect(stack.registry.member(id)).toMatchObject({
      reachable: true,
      contact_info: { email: 'b@example.is', phone: '5551234' },
    });
    expect(stack.requests).toEqual(['apply 1']);
  });

  it('of an address reaches the registry', async () => {
    const { id, kennitala } = await someone();
    const address = {
      street: 'Reynigata',
      number: 7,
      letter: 'B',
      postal_code: '105',
      city: 'Reykjavík',
      country: 'IS',
      is_default: true,
    };
    const foreign = ((await stack.member(kennitala))['profile']['addresses'] as { country: string }[]).filter(
      ({ country }) => country !== 'IS',
    );
    await stack.edit(kennitala, {
      'profile.addresses': [address, ...foreign.map((it) => ({ ...it, is_default: false }))],
    });
    await stack.settled();
    expect(stack.registry.member(id).local_address).toEqual({
      street: 'Reynigata',
      number: 7,
      letter: 'B',
      postal_code: 105,
      city: 'Reykjavík',
    });
  });

  it('that only spells a value another way asks nothing of the registry', async () => {
    const { kennitala } = await someone();
    await stack.edit(kennitala, { 'profile.phone': '5551111' });
    await stack.settled();
    stack.requests.length = 0;
    await stack.edit(kennitala, { 'profile.phone': '+354 555 1111' });
    await stack.settled();
    expect(stack.requests).toEqual([]);
  });

  it('is queued once however often its event comes', async () => {
    const { kennitala } = await someone();
    stack.mode.holds = true;
    await stack.edit(kennitala, { 'profile.email': 'once@example.is' });
    const [event] = await stack.heldEdits(1);
    if (event === undefined) throw new Error('No event came.');
    expect(await stack.deliver(event)).toBe('settled');
    expect(await stack.deliver(event)).toBe('settled');
    await stack.settled();
    expect(await itemsOf(kennitala)).toHaveLength(1);
    expect(stack.requests).toEqual(['apply 1']);
  });

  it('counts by its time and not by its arrival', async () => {
    const { id, kennitala } = await someone();
    stack.mode.holds = true;
    await stack.edit(kennitala, { 'profile.email': 'earlier@example.is' });
    await stack.edit(kennitala, { 'profile.email': 'later@example.is' });
    const [first, second] = await stack.heldEdits(2);
    if (first === undefined || second === undefined) throw new Error('Two events should have come.');
    expect(await stack.deliver(second)).toMatch(/^failed registry_unavailable/);
    expect(await stack.deliver(first)).toBe('settled');
    stack.mode.holds = false;
    await stack.settled();
    expect(emailOf(id)).toBe('later@example.is');
    expect(await conflictsOf(kennitala)).toEqual([]);
    expect((await itemsOf(kennitala)).map((item) => item['sync_status'])).toEqual(['synced', 'synced']);
  });

  it('that arrives after a later one has ended is superseded by it', async () => {
    const { id, kennitala } = await someone();
    stack.mode.holds = true;
    await stack.edit(kennitala, { 'profile.email': 'earlier@example.is' });
    await stack.edit(kennitala, { 'profile.email': 'later@example.is' });
    const [first, second] = await stack.heldEdits(2);
    if (first === undefined || second === undefined) throw new Error('Two events should have come.');
    stack.advance(60_000);
    // So late that the wait for it was over: what the later one met in the registry was taken for a conflict.
    expect(await stack.deliver(second)).toBe('settled');
    expect(await stack.deliver(first)).toBe('settled');
    stack.mode.holds = false;
    await stack.settled();
    const [item] = await itemsOf(kennitala);
    expect(item).toMatchObject({
      sync_status: 'synced',
      settled: { 'profile.email': { outcome: 'superseded' } },
    });
    expect((await stack.member(kennitala))['profile']['email']).toBe(emailOf(id));
    expect(await conflictsOf(kennitala)).toHaveLength(1);
  });

  it('made while the registry is away waits, and nothing of a burst is lost', async () => {
    const { id, kennitala } = await someone();
    stack.registry.addFault({ status: 503, path: '/api/sync/' });
    for (let n = 1; n <= 5; n += 1)
      await stack.edit(kennitala, { 'profile.email': `number.${n}@example.is` });
    await stack.settled();
    expect(emailOf(id)).not.toContain('number');
    expect((await itemsOf(kennitala)).map((item) => item['sync_status'])).toEqual(Array(5).fill('pending'));
    stack.registry.clearFaults();
    expect(await stack.run()).toMatchObject({ firestoreToDjango: { success: 0 } });
    stack.advance(60_000);
    const record = await stack.run();
    expect(record).toMatchObject({ status: 'success', firestoreToDjango: { failed: 0 } });
    await stack.settled();
    expect(emailOf(id)).toBe('number.5@example.is');
    expect((await itemsOf(kennitala)).every((item) => item['sync_status'] === 'synced')).toBe(true);
  });

  it('that the registry refuses is a dead letter at once, and holds up no other field', async () => {
    const { id, kennitala } = await someone();
    const before = emailOf(id);
    await stack.edit(kennitala, { 'profile.email': 'no address', 'profile.facebook': 'profsson' });
    await stack.settled();
    const [item] = await itemsOf(kennitala);
    expect(item).toMatchObject({
      sync_status: 'failed',
      settled: { 'profile.facebook': { outcome: 'synced' } },
    });
    expect(String(item?.['error_message'])).toMatch(/^invalid_value: /);
    expect(stack.registry.member(id).contact_info).toMatchObject({ email: before, facebook: 'profsson' });
    expect((await stack.member(kennitala))['profile']).toMatchObject({ email: before, facebook: 'profsson' });
  });

  it('whose answer is lost is not done twice', async () => {
    const { id, kennitala } = await someone();
    stack.registry.addFault({ disconnect: 'mid-body', times: 2, path: '/api/sync/apply/' });
    await stack.edit(kennitala, { 'profile.email': 'lost@example.is' });
    await stack.settled();
    const { version } = stack.registry.member(id);
    expect(emailOf(id)).toBe('lost@example.is');
    stack.advance(120_000);
    await stack.run();
    await stack.settled();
    expect(stack.registry.member(id).version).toBe(version);
    expect((await itemsOf(kennitala))[0]).toMatchObject({ sync_status: 'synced' });
    expect(await conflictsOf(kennitala)).toEqual([]);
  });
});
