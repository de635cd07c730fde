import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import { HINT_PAUSES_MS, SETTLED_AFTER_MS } from '../../src/portal/follow-hint.ts';
import { event, eventId, resultOf, someone } from '../support/registry-events.ts';
import { flat, fresh, type HintStack, hint, sent, startHintStack } from './support/hint-stack.ts';

let stack: HintStack;
beforeAll(async () => {
  stack = await startHintStack();
});
afterAll(async () => {
  await stack.close();
});

describe('a hint that was sent before the commit', () => {
  it('of a create: never a tombstone from the 404, and the member with what was sent once there is one', async () => {
    const kennitala = fresh();
    await stack.accept(hint(kennitala, 'create', sent(kennitala)));
    stack.says(null, null, flat(kennitala));
    const seen: unknown[] = [];
    const result = await stack.follow(kennitala, undefined, async () => {
      seen.push(await stack.member(kennitala));
    });
    expect(result).toBe('confirmed');
    expect(seen).toEqual([undefined, undefined, undefined]);
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { name: 'Generated Person', email: 'now@example.is', phone: '5551234' },
      membership: { status: 'active' },
      metadata: { django_id: 813, source_version: null, deleted_at: null },
    });
    expect(await stack.standing(kennitala)).toBeUndefined();
    expect(await stack.refreshes()).toBeGreaterThan(0);
  });

  it('of an update: asks for no roster, which it cannot change', async () => {
    const kennitala = await stack.listed();
    await stack.forgetRefreshes();
    await stack.accept(hint(kennitala, 'update', sent(kennitala, { name: 'Renamed Person' })));
    stack.says(flat(kennitala, { name: 'Renamed Person' }));
    expect(await stack.follow(kennitala)).toBe('confirmed');
    expect(await stack.refreshes()).toBe(0);
  });

  it('of a consent that was withdrawn: right at the look after the commit', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'update', sent(kennitala, { reachable: false })));
    stack.says(flat(kennitala), flat(kennitala), flat(kennitala, { reachable: false }));
    expect(await stack.follow(kennitala)).toBe('confirmed');
    expect(stack.looks()).toBe(3);
    expect(await stack.member(kennitala)).toMatchObject({ profile: { reachable: false } });
    // Within seconds.
    expect(HINT_PAUSES_MS.slice(0, 3).reduce((sum, ms) => sum + ms, 0)).toBeLessThan(2_000);
  });

  it('of a delete: inactive at the look after the commit', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(flat(kennitala), flat(kennitala), null);
    expect(await stack.follow(kennitala)).toBe('confirmed');
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
  });

  it.each([
    ['a delete', 'delete', () => null, 'unconfirmed'],
    ['a create', 'create', () => null, 'unconfirmed'],
  ])(
    'that was rolled back, %s: counted and shown, and nothing changes',
    async (_what, action, says, ended) => {
      const kennitala = action === 'delete' ? await stack.listed() : fresh();
      await stack.accept(hint(kennitala, action, action === 'delete' ? undefined : sent(kennitala)));
      stack.says(action === 'delete' ? flat(kennitala) : says());
      const before = await stack.versionOf(kennitala);
      const { count } = await stack.dependencies.hints.unconfirmed();
      expect(await stack.follow(kennitala)).toBe(ended);
      expect(await stack.versionOf(kennitala)).toEqual(before);
      expect(await stack.dependencies.hints.unconfirmed()).toMatchObject({ count: count + 1 });
      // Of the person only the number is left.
      expect(JSON.stringify(await stack.standing(kennitala))).not.toContain('Generated');
      await stack.dependencies.hints.forgetBefore(new Date(Date.now() + 1_000));
      expect(await stack.dependencies.hints.unconfirmed()).toMatchObject({ count: 0 });
    },
  );

  it('of an update that was rolled back: settles on what the registry keeps saying', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'update', sent(kennitala, { reachable: false })));
    stack.says(flat(kennitala));
    expect(await stack.follow(kennitala)).toBe('settled');
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { reachable: true, email: 'list@example.is' },
    });
    expect(HINT_PAUSES_MS.slice(1, stack.looks()).reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(
      SETTLED_AFTER_MS,
    );
  });
});

describe('an answer without id and version', () => {
  it('confirms the member, and overwrites neither address nor e-mail that the list gave', async () => {
    const kennitala = await stack.listed({
      local_address: { street: 'Nýjagata', number: 2, letter: '', postal_code: 102, city: 'Reykjavík' },
    });
    await stack.accept(hint(kennitala, 'update'));
    stack.says(flat(kennitala, { name: 'Renamed Person' }));
    expect(await stack.follow(kennitala)).toBe('confirmed');
    const after = await stack.member(kennitala);
    expect(after?.['profile']).toMatchObject({ name: 'Renamed Person', email: 'list@example.is' });
    expect(after?.['profile'].addresses).toMatchObject([{ street: 'Nýjagata' }]);
  });

  it('is all there is about somebody of whom nothing else is known', async () => {
    const kennitala = fresh();
    await stack.accept(hint(kennitala, 'create'));
    stack.says(flat(kennitala));
    expect(await stack.follow(kennitala)).toBe('confirmed');
    expect(await stack.member(kennitala)).toMatchObject({ profile: { email: 'years.ago@example.is' } });
  });

  it('gives way to what was sent, unless something was written since', async () => {
    const [kennitala, later] = [await stack.listed(), await stack.listed()];
    for (const one of [kennitala, later]) await stack.accept(hint(one, 'update', sent(one)));
    // What comes within the millisecond of the hint counts as older.
    await delay(2);
    await stack.db.doc(`members/${later}`).update({ 'profile.email': 'later@example.is' });
    for (const one of [kennitala, later]) {
      stack.says(flat(one));
      expect(await stack.follow(one)).toBe('confirmed');
    }
    expect(await stack.member(kennitala)).toMatchObject({ profile: { email: 'now@example.is' } });
    expect(await stack.member(later)).toMatchObject({ profile: { email: 'later@example.is' } });
  });
});

describe('a hint about somebody whom the portal does not have', () => {
  it.each([
    ['a delete, and the registry has nobody', 'delete', null, 'confirmed'],
    ['a delete, and the registry still shows them', 'delete', {}, 'unconfirmed'],
    ['an update, and the registry has nobody', 'update', null, 'unconfirmed'],
  ])('%s: nothing is written', async (_what, action, says, ended) => {
    const kennitala = fresh();
    await stack.accept(hint(kennitala, action));
    stack.says(says === null ? null : flat(kennitala));
    expect(await stack.follow(kennitala)).toBe(ended);
    expect(await stack.member(kennitala)).toBeUndefined();
  });

  it('was erased while the hint waited: nothing is written, even by a look that is under way', async () => {
    const kennitala = fresh();
    await stack.accept(hint(kennitala, 'update', sent(kennitala)));
    stack.says(async () => {
      await stack.db.doc(`webhook_hints/${kennitala}`).delete();
      return flat(kennitala);
    });
    expect(await stack.follow(kennitala)).toBe('superseded');
    expect(await stack.member(kennitala)).toBeUndefined();
  });
});

describe('what is sent', () => {
  it.each([
    ['a gender of 7', { gender: 7 }],
    ['data that is text', 'text'],
    ['data that is a list', []],
    ['no data', undefined],
    ['text that no store holds', { name: 'a\u0000b\ud800' }],
  ])('counts with %s', async (_what, data) => {
    const kennitala = await stack.listed();
    const body = typeof data === 'object' && !Array.isArray(data) ? sent(kennitala, data) : data;
    await stack.accept(hint(kennitala, 'update', body));
    stack.says(flat(kennitala, { reachable: false }));
    expect(['confirmed', 'settled']).toContain(await stack.follow(kennitala));
    expect(await stack.member(kennitala)).toMatchObject({ profile: { reachable: false } });
  });

  it.each([
    [
      'another member in data',
      (kennitala: string) => ({ kennitala, action: 'update', data: sent(someone()) }),
    ],
    ['no action', (kennitala: string) => ({ kennitala })],
    ['no kennitala', () => ({ action: 'delete' })],
    [
      'a version that no outbox reaches',
      (kennitala: string) => ({ kennitala, action: 'delete', version: 2 ** 31 }),
    ],
  ])('is refused with %s', async (_what, bodyOf) => {
    const kennitala = fresh();
    const call = { ...hint(kennitala, 'delete'), rawBody: Buffer.from(JSON.stringify(bodyOf(kennitala))) };
    expect((await stack.receive(call)).status).toBe(400);
    expect(await stack.standing(kennitala)).toBeUndefined();
  });

  it('is refused where it is no UTF-8, so that no name is stored with a hole in it', async () => {
    const kennitala = fresh();
    const [before = '', after = ''] = JSON.stringify({
      kennitala,
      action: 'update',
      data: { name: '?' },
    }).split('?');
    const rawBody = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
    expect((await stack.receive({ ...hint(kennitala, 'update'), rawBody })).status).toBe(400);
    expect(await stack.standing(kennitala)).toBeUndefined();
  });

  it('is taken once where it is signed, though it has no version', async () => {
    const kennitala = fresh();
    const id = eventId();
    expect(await resultOf(stack.deliver(id, event(kennitala, null)))).toMatchObject({ result: 'accepted' });
    expect(await resultOf(stack.deliver(id, event(kennitala, null)))).toMatchObject({ result: 'duplicate' });
  });

  it('is refused as an event with a version that no outbox reaches', async () => {
    const kennitala = fresh();
    for (const version of [2 ** 31, 2 ** 40]) {
      expect((await stack.deliver(eventId(), event(kennitala, version))).status).toBe(400);
      const inData = event(kennitala, 1, 'create', { version });
      expect((await stack.deliver(eventId(), inData)).status).toBe(400);
    }
    expect((await stack.deliver(eventId(), event(kennitala, 2 ** 31 - 1, 'create'))).status).toBe(200);
  });
});

describe('two hints of one member', () => {
  it('the later one is followed, and who follows the earlier one stops', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'update', sent(kennitala, { name: 'First Person' })));
    const first = await stack.tokenOf(kennitala);
    stack.says(flat(kennitala));
    const result = await stack.follow(kennitala, first, async (look) => {
      if (look === 2)
        await stack.accept(hint(kennitala, 'update', sent(kennitala, { name: 'Second Person' })));
    });
    expect(result).toBe('superseded');
    stack.says(flat(kennitala, { name: 'Second Person' }));
    expect(await stack.follow(kennitala)).toBe('confirmed');
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Second Person' } });
    expect(await stack.follow(kennitala, first)).toBe('superseded');
  });

  it.each([
    ['there', ['create', 'delete'], 'active'],
    ['gone', ['create', 'delete'], 'inactive'],
    ['there', ['delete', 'create'], 'active'],
    ['gone', ['delete', 'create'], 'inactive'],
  ])('whatever their order, a member who is %s in the end is so (%s)', async (is, actions, status) => {
    const kennitala = await stack.listed();
    for (const action of actions) await stack.accept(hint(kennitala, action));
    stack.says(flat(kennitala), null, is === 'there' ? flat(kennitala) : null);
    expect(await stack.follow(kennitala)).toBe('settled');
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status } });
  });
});

describe('a following that breaks off', () => {
  it.each(['before', 'after'] as const)(
    '%s the commit: the next delivery of the event ends it',
    async (when) => {
      const kennitala = await stack.listed();
      await stack.accept(hint(kennitala, 'delete'));
      const token = await stack.tokenOf(kennitala);
      stack.says(null);
      stack.firestore.failNext({
        method: 'commit',
        code: 7,
        when,
        matches: (request) => !JSON.stringify(request).includes('roster_refreshes'),
      });
      await expect(stack.follow(kennitala, token)).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(await stack.follow(kennitala, token)).toBe(when === 'before' ? 'confirmed' : 'superseded');
      expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
      expect(await stack.standing(kennitala)).toBeUndefined();
    },
  );

  it('since the registry does not answer: the hint stands', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'delete'));
    stack.says(async () => {
      throw new SyncError('registry_unreachable', 'The registry is down.');
    });
    await expect(stack.follow(kennitala)).rejects.toMatchObject({ code: 'registry_unreachable' });
    stack.says(null);
    expect(await stack.follow(kennitala)).toBe('confirmed');
  });

  it('on a member who cannot be read: unconfirmed, and nothing is written', async () => {
    const kennitala = await stack.listed();
    await stack.accept(hint(kennitala, 'update'));
    stack.says(flat(kennitala, { gender: 7 }));
    const before = await stack.versionOf(kennitala);
    expect(await stack.follow(kennitala)).toBe('unconfirmed');
    expect(await stack.versionOf(kennitala)).toEqual(before);
  });
});

it('a hint that nobody follows is kept for a week, in which reconciles pass over it', async () => {
  const kennitala = fresh();
  await stack.accept(hint(kennitala, 'create', sent(kennitala)));
  const { last_at: at, expireAt } = (await stack.standing(kennitala)) ?? {};
  expect(expireAt.toMillis() - at.toMillis()).toBe(7 * 24 * 60 * 60_000);
});
