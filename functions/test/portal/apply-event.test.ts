import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Kennitala, tryKennitala } from '../../src/domain/kennitala.ts';
import { parseMemberChange } from '../../src/domain/member/member-change.ts';
import {
  applyReading,
  applyVersionedEvent,
  joinsOrLeaves,
  type ReadAbout,
  touchUnchanged,
} from '../../src/portal/apply-event.ts';
import { event, eventId, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

/** What the registry says at a look, and what happens in the portal meanwhile. */
let says: (kennitala: string) => Promise<unknown>;
let looks = 0;
let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack({
    mayBeInMemory: true,
    reader: {
      readMember: async (kennitala) => {
        looks += 1;
        return says(kennitala);
      },
    },
  });
});
afterAll(async () => {
  await stack.close();
});
beforeEach(() => {
  looks = 0;
  says = async (kennitala) => shown(kennitala);
});

const shown = (kennitala: string, more: object = {}) => ({
  id: 813,
  version: 3,
  ssn: kennitala,
  name: 'Generated Person',
  contact_info: { email: 'a@b.is' },
  ...more,
});
const fresh = (): Kennitala => {
  const kennitala = tryKennitala(someone());
  if (kennitala === null) throw new Error('The generated number is none.');
  return kennitala;
};
const known = async (): Promise<Kennitala> => {
  const kennitala = fresh();
  await stack.deliver(
    eventId(),
    event(kennitala, 3, 'create', { id: 813, contact_info: { email: 'a@b.is' } }),
  );
  return kennitala;
};
const read = (kennitala: Kennitala, id: string | null = null, about: Partial<ReadAbout> = {}) =>
  applyReading(
    { kennitala, action: 'update', ...about },
    id,
    AbortSignal.timeout(30_000),
    stack.dependencies,
  );
/** Somebody else writes to the document. */
const touch = (kennitala: string) =>
  stack.db.doc(`members/${kennitala}`).update({ 'metadata.touched': looks });

describe('a member who is read from the registry', () => {
  it.each([1, 4])('while another writes to them %i times is read once more each time', async (times) => {
    const kennitala = await known();
    says = async () => {
      if (looks <= times) await touch(kennitala);
      return shown(kennitala, { name: `Person ${looks}`, version: 4 });
    };
    expect(await read(kennitala)).toMatchObject({ result: 'applied' });
    expect(looks).toBe(times + 1);
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: `Person ${times + 1}` } });
  });

  it('and is written whenever they are read is left as they are, to be read again later', async () => {
    const kennitala = await known();
    says = async () => {
      await touch(kennitala);
      return shown(kennitala, { name: 'Renamed Person' });
    };
    await expect(read(kennitala)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: 'The member was written 5 times while it was read from the registry. Try again.',
    });
    expect(looks).toBe(5);
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Generated Person' } });
  });

  it('is not taken for another one whom the registry answers', async () => {
    const [kennitala, other] = [await known(), fresh()];
    says = async () => shown(other, { name: 'Somebody Else' });
    await expect(read(kennitala)).rejects.toMatchObject({
      code: 'registry_invalid_response',
      message: 'The registry answered another member than the one asked for.',
    });
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Generated Person' } });
    expect(await stack.member(other)).toBeUndefined();
  });

  it('asks for the roster where nobody could tell a repetition: without the id of an event', async () => {
    const kennitala = await known();
    expect(await read(kennitala)).toMatchObject({ changesRoster: true });
    expect(await read(kennitala, eventId())).toMatchObject({ changesRoster: false });
    const id = eventId();
    says = async () => null;
    expect(await read(kennitala, id)).toMatchObject({ result: 'applied', changesRoster: true });
    expect(await read(kennitala, id)).toMatchObject({ result: 'duplicate', changesRoster: true });
  });
});

describe('an event and the roster', () => {
  const asksForIt = async (
    kennitala: Kennitala,
    version: number,
    action: string,
    name = 'Renamed Person',
  ) => {
    const change = parseMemberChange(event(kennitala, version, action, { name }));
    return (await applyVersionedEvent(change, eventId(), stack.dependencies)).changesRoster;
  };

  it.each([
    ['a delete', 6, 'delete', true],
    ['an update of the name', 6, 'update', false],
    ['a late delete', 4, 'delete', true],
    ['a late create', 4, 'create', true],
    ['a late update', 4, 'update', false],
  ])('%s of version %i: %s asks for it: %j', async (_what, version, action, expected) => {
    const kennitala = fresh();
    await stack.deliver(eventId(), event(kennitala, 5, 'create'));
    expect(await asksForIt(kennitala, version, action)).toBe(expected);
  });

  it('a first event asks for it where it makes a member', async () => {
    expect(await asksForIt(fresh(), 1, 'delete')).toBe(false);
    expect(await asksForIt(fresh(), 1, 'create')).toBe(true);
  });

  it('a change of nothing asks for none, and one of more than who is a member for one', async () => {
    const kennitala = fresh();
    await stack.deliver(eventId(), event(kennitala, 1, 'create'));
    expect(await asksForIt(kennitala, 2, 'update', 'Generated Person')).toBe(false);
    await stack.deliver(eventId(), event(kennitala, 3, 'delete'));
    expect(await asksForIt(kennitala, 4, 'create', 'Renamed Person')).toBe(true);
  });

  it('of which the store did not say what became of it is an error of ours', async () => {
    const change = parseMemberChange(event(fresh(), 1, 'create'));
    const { members } = stack.dependencies;
    const odd = { ...members, applyChange: async () => ({ kind: 'moved' }) as const };
    await expect(
      applyVersionedEvent(change, eventId(), { ...stack.dependencies, members: odd }),
    ).rejects.toMatchObject({
      code: 'internal',
      message: 'An event that was decided about cannot end as moved.',
    });
  });
});

describe('what a reading finds', () => {
  it.each([
    [{}, undefined],
    [{ mayBeCreated: false }, undefined],
    [{ mayBeCreated: true }, 'inactive'],
  ])('of nobody leaves a tombstone where an event may create them yet: %j', async (about, status) => {
    says = async () => null;
    const kennitala = fresh();
    expect(await read(kennitala, eventId(), about)).toMatchObject({
      result: 'applied',
      changesRoster: false,
    });
    expect((await stack.member(kennitala))?.['membership'].status).toBe(status);
  });

  it.each([
    ['a version', { version: 4 }, 'years.ago@example.is'],
    ['a row number', { id: 813 }, 'years.ago@example.is'],
    ['neither', {}, 'a@b.is'],
  ])('counts in all fields where it has %s; else the list may know better', async (_what, more, email) => {
    const kennitala = await known();
    await stack.db.doc(`members/${kennitala}`).update({ 'metadata.source_version': null });
    says = async () => ({
      ssn: kennitala,
      name: 'Renamed Person',
      contact_info: { email: 'years.ago@example.is' },
      ...more,
    });
    await read(kennitala);
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Renamed Person', email } });
  });

  const storedOf = async (kennitala: Kennitala) => (await stack.dependencies.members.read(kennitala)).stored;

  it('unchanged is written as the word of who found it so', async () => {
    const kennitala = await known();
    const there = await storedOf(kennitala);
    expect(touchUnchanged(there, { kind: 'unchanged' })).toMatchObject({
      kind: 'write',
      meta: { origin: 'registry' },
      differences: [],
    });
    await stack.deliver(eventId(), event(kennitala, 4, 'delete'));
    const gone = await storedOf(kennitala);
    expect(touchUnchanged(gone, { kind: 'unchanged' })).toMatchObject({ meta: { origin: 'reconcile' } });
    expect(touchUnchanged(null, { kind: 'unchanged' })).toEqual({ kind: 'unchanged' });
    const change = (action: 'update' | 'delete') => parseMemberChange(event(kennitala, 9, action));
    expect(joinsOrLeaves(there, change('delete'))).toBe(true);
    expect(joinsOrLeaves(there, change('update'))).toBe(false);
    expect(joinsOrLeaves(gone, change('update'))).toBe(true);
    expect(joinsOrLeaves(null, change('update'))).toBe(true);
    expect(joinsOrLeaves(null, change('delete'))).toBe(false);
  });
});
