import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryKennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { applyReading } from '../../src/portal/apply-event.ts';
import { decideRemoval } from '../../src/portal/reconcile/decide-member.ts';
import { event, eventId, resultOf, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

/** What the registry answers about a member; the table's last word, whatever events are still under way. */
let answer: () => unknown;
/** Versions of the events that the register was told of. */
const told: (number | null)[] = [];
let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack({
    mayBeInMemory: true,
    reader: { readMember: async () => answer() },
    register: async ({ version }) => {
      told.push(version);
    },
  });
});
afterAll(async () => {
  await stack.close();
});

/** A member of version 1 whom a reconcile found gone: the deletion, of version 9 say, was never announced. */
const foundGone = async () => {
  const kennitala = tryKennitala(someone());
  if (kennitala === null) throw new Error('The generated number is none.');
  await stack.deliver(eventId(), event(kennitala, 1, 'create'));
  const { members } = stack.dependencies;
  const { state } = await members.read(kennitala);
  const now = new Date();
  await members.applyChange({
    kennitala,
    eventId: null,
    djangoId: null,
    at: now,
    decide: (stored) =>
      stored === null ? null : decideRemoval({ stored, pending: [], writtenAt: null, state }, now),
    toReceipt: () => ({ result: 'applied', action: 'delete', member: 'm_0', changesRoster: true }),
  });
  return kennitala;
};
const GONE = { membership: { status: 'inactive' }, metadata: { source_version: 1, origin: 'reconcile' } };

describe('an event that would bring back who was found gone', () => {
  it.each(['update', 'create'] as const)(
    'a late %s does not, since the registry has nobody',
    async (action) => {
      const kennitala = await foundGone();
      answer = () => null;
      const late = event(kennitala, 5, action);
      expect(await resultOf(stack.deliver(eventId(), late))).toMatchObject({ status: 200 });
      expect(await stack.member(kennitala)).toMatchObject(GONE);
      // The register, which cannot ask, hears nothing of it.
      expect(told).not.toContain(5);
      // Nor does the next one: that the registry was asked does not make the tombstone any surer.
      expect(await resultOf(stack.deliver(eventId(), event(kennitala, 6, action)))).toMatchObject({
        status: 200,
      });
      expect(await stack.member(kennitala)).toMatchObject(GONE);
    },
  );

  it('nor who was found gone after an event had said so: they may have come and left again since', async () => {
    const kennitala = tryKennitala(someone());
    if (kennitala === null) throw new Error('The generated number is none.');
    await stack.deliver(eventId(), event(kennitala, 31, 'create'));
    await stack.deliver(eventId(), event(kennitala, 34, 'delete'));
    answer = () => null;
    // As the nightly sweep takes a row of the change queue over, and acknowledges all that it speaks of.
    await applyReading(
      { kennitala, action: 'delete' },
      null,
      AbortSignal.timeout(30_000),
      stack.dependencies,
    );
    await stack.deliver(eventId(), event(kennitala, 36, 'create'));
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
  });

  it('a repetition is no news to the register either', async () => {
    const kennitala = someone();
    const [id, created] = [eventId(), event(kennitala, 21, 'create')];
    await stack.deliver(id, created);
    expect(await resultOf(stack.deliver(id, created))).toMatchObject({ result: 'duplicate' });
    expect(told.filter((version) => version === 21)).toEqual([21]);
  });

  it('one that is older than what the portal has is no news to the register either', async () => {
    const kennitala = someone();
    await stack.deliver(eventId(), event(kennitala, 52, 'delete'));
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 51, 'create')))).toMatchObject({
      result: 'stale',
    });
    expect(told.filter((version) => version === 51 || version === 52)).toEqual([52]);
  });

  it('one that a reading has brought to the portal before it is news to the register', async () => {
    const kennitala = tryKennitala(someone());
    if (kennitala === null) throw new Error('The generated number is none.');
    const created = event(kennitala, 53, 'create', { version: 53 });
    answer = () => created.data;
    const about = { kennitala, action: 'create' } as const;
    await applyReading(about, null, AbortSignal.timeout(30_000), stack.dependencies);
    expect(await resultOf(stack.deliver(eventId(), created))).toMatchObject({ result: 'stale' });
    expect(told.filter((version) => version === 53)).toEqual([53]);
  });

  it('a rejoin does, by what the registry says', async () => {
    const kennitala = await foundGone();
    answer = () => event(kennitala, 12, 'create', { name: 'Returned Person', version: 12 }).data;
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 11, 'create')))).toMatchObject({
      result: 'applied',
    });
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { name: 'Returned Person' },
      membership: { status: 'active' },
      metadata: { source_version: 12, deleted_at: null },
    });
  });

  it('is sent again while the registry does not answer', async () => {
    const kennitala = await foundGone();
    answer = () => {
      throw new SyncError('registry_unreachable', 'No connection.');
    };
    const id = eventId();
    expect((await stack.deliver(id, event(kennitala, 5, 'update'))).status).toBe(503);
    expect(await stack.member(kennitala)).toMatchObject(GONE);
    answer = () => null;
    expect(await resultOf(stack.deliver(id, event(kennitala, 5, 'update')))).toMatchObject({ status: 200 });
    expect(await stack.member(kennitala)).toMatchObject(GONE);
  });

  it('is not asked about when it is a delete, which gives the tombstone its version', async () => {
    const kennitala = await foundGone();
    answer = () => {
      throw new Error('The registry was asked.');
    };
    await stack.deliver(eventId(), event(kennitala, 9, 'delete'));
    expect(await stack.member(kennitala)).toMatchObject({
      membership: { status: 'inactive' },
      metadata: { source_version: 9, origin: 'reconcile' },
    });
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 8)))).toMatchObject({ result: 'stale' });
  });

  it.each([
    ['gone again', () => null, 'inactive'],
    ['there', (kennitala: string) => event(kennitala, 10, 'create').data, 'active'],
  ])('is asked about after such a delete: it may be older than the reading (%s)', async (_, said, status) => {
    // Gone by 9, back by 10, gone by 11, which the reading saw and acknowledged; the events of 9 and 10 were on their way.
    const kennitala = await foundGone();
    answer = () => said(kennitala);
    await stack.deliver(eventId(), event(kennitala, 9, 'delete'));
    await stack.deliver(eventId(), event(kennitala, 10, 'create'));
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status } });
  });
});
