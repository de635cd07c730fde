import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Kennitala, tryKennitala } from '../../src/domain/kennitala.ts';
import { type ParsedMember, parseRegistryMember } from '../../src/domain/member/parse-registry-member.ts';
import { SyncError } from '../../src/lib/errors.ts';
import { followHint, HINT_PAUSES_MS, judgeReading, SETTLED_AFTER_MS } from '../../src/portal/follow-hint.ts';
import type { WebhookCall } from '../../src/portal/receive-webhook.ts';
import { event, eventId, resultOf, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

const KEY = 'key-of-a-registry-that-cannot-sign';

/** What the registry says at the nth look, from 0; the last one stays. Null is its 404. */
let script: readonly (object | null | (() => Promise<object | null>))[] = [];
let looks = 0;
let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack({
    mayBeInMemory: true,
    keys: { legacyKey: { readAll: async () => [KEY] } },
    reader: {
      readMember: async () => {
        const said = script[Math.min(looks, script.length - 1)] ?? null;
        looks += 1;
        return typeof said === 'function' ? said() : said;
      },
    },
  });
});
afterAll(async () => {
  await stack.close();
});

const fresh = (): Kennitala => {
  const kennitala = tryKennitala(someone());
  if (kennitala === null) throw new Error('The generated number is none.');
  return kennitala;
};

/** As that registry spells one member: flat, without `id` and `version`, e-mail and address of other tables. */
const flat = (kennitala: string, more: object = {}) => ({
  kennitala,
  name: 'Generated Person',
  email: 'years.ago@example.is',
  street_address: 'Gamlagata 1',
  postal_code: '101',
  city: 'Reykjavík',
  reachable: true,
  groupable: false,
  ...more,
});

/** As it spells `data`: of the tables that its list is made of. */
const sent = (kennitala: string, more: object = {}) => ({
  id: 813,
  ssn: kennitala,
  name: 'Generated Person',
  gender: null,
  reachable: true,
  groupable: false,
  contact_info: { email: 'now@example.is', phone: '5551234' },
  ...more,
});

const hint = (kennitala: string, action: string, data?: unknown): WebhookCall => ({
  method: 'POST',
  rawBody: Buffer.from(JSON.stringify({ kennitala, action, ...(data === undefined ? {} : { data }) })),
  headers: { id: undefined, timestamp: undefined, signature: undefined, authorization: `Bearer ${KEY}` },
});

const standing = async (kennitala: string) => (await stack.db.doc(`webhook_hints/${kennitala}`).get()).data();
const tokenOf = async (kennitala: string) => String((await standing(kennitala))?.['token']);

/** Follows the standing hint in no time: the clock moves as far as it sleeps. */
const follow = async (kennitala: Kennitala, token?: string, onSleep?: (look: number) => Promise<void>) => {
  looks = 0;
  let time = Date.now();
  let slept = 0;
  return followHint(kennitala, token ?? (await tokenOf(kennitala)), {
    ...stack.dependencies,
    now: () => new Date(time),
    sleep: async (ms) => {
      time += ms;
      await onSleep?.(slept);
      slept += 1;
    },
    logs: { followed: () => undefined },
  });
};

const accept = async (call: WebhookCall) => {
  expect(await resultOf(stack.receive(call))).toMatchObject({ status: 200, result: 'accepted' });
};

/** A member whom the portal has, by the list. */
const known = async (data: object = {}): Promise<Kennitala> => {
  const kennitala = fresh();
  const contact = { contact_info: { email: 'list@example.is' }, reachable: true };
  await stack.deliver(eventId(), event(kennitala, 1, 'create', { ...contact, ...data }));
  return kennitala;
};
/** The same without a version, as a registry without the companion app leaves them. */
const listed = async (data: object = {}): Promise<Kennitala> => {
  const kennitala = await known(data);
  await stack.db.doc(`members/${kennitala}`).update({ 'metadata.source_version': null });
  return kennitala;
};
const versionOf = async (kennitala: string) => (await stack.db.doc(`members/${kennitala}`).get()).updateTime;

describe('a hint that was sent before the commit', () => {
  it('of a create: never a tombstone from the 404, and the member with what was sent once there is one', async () => {
    const kennitala = fresh();
    await accept(hint(kennitala, 'create', sent(kennitala)));
    script = [null, null, flat(kennitala)];
    const seen: unknown[] = [];
    const result = await follow(kennitala, undefined, async () => {
      seen.push(await stack.member(kennitala));
    });
    expect(result).toBe('confirmed');
    expect(seen).toEqual([undefined, undefined, undefined]);
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { name: 'Generated Person', email: 'now@example.is', phone: '5551234' },
      membership: { status: 'active' },
      metadata: { django_id: 813, source_version: null, deleted_at: null },
    });
    expect(await standing(kennitala)).toBeUndefined();
    expect(await stack.refreshes()).toBeGreaterThan(0);
  });

  it('of an update: asks for no roster, which it cannot change', async () => {
    const kennitala = await listed();
    for (const { ref } of (await stack.db.collection('roster_refreshes').get()).docs) await ref.delete();
    await accept(hint(kennitala, 'update', sent(kennitala, { name: 'Renamed Person' })));
    script = [flat(kennitala, { name: 'Renamed Person' })];
    expect(await follow(kennitala)).toBe('confirmed');
    expect(await stack.refreshes()).toBe(0);
  });

  it('of a consent that was withdrawn: right at the look after the commit', async () => {
    const kennitala = await listed();
    await accept(hint(kennitala, 'update', sent(kennitala, { reachable: false })));
    script = [flat(kennitala), flat(kennitala), flat(kennitala, { reachable: false })];
    expect(await follow(kennitala)).toBe('confirmed');
    expect(looks).toBe(3);
    expect(await stack.member(kennitala)).toMatchObject({ profile: { reachable: false } });
    // Within seconds.
    expect(HINT_PAUSES_MS.slice(0, 3).reduce((sum, ms) => sum + ms, 0)).toBeLessThan(2_000);
  });

  it('of a delete: inactive at the look after the commit', async () => {
    const kennitala = await listed();
    await accept(hint(kennitala, 'delete'));
    script = [flat(kennitala), flat(kennitala), null];
    expect(await follow(kennitala)).toBe('confirmed');
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
  });

  it.each([
    ['a delete', 'delete', () => null, 'unconfirmed'],
    ['a create', 'create', () => null, 'unconfirmed'],
  ])(
    'that was rolled back, %s: counted and shown, and nothing changes',
    async (_what, action, says, ended) => {
      const kennitala = action === 'delete' ? await listed() : fresh();
      await accept(hint(kennitala, action, action === 'delete' ? undefined : sent(kennitala)));
      script = [action === 'delete' ? flat(kennitala) : says()];
      const before = await versionOf(kennitala);
      const { count } = await stack.dependencies.hints.unconfirmed();
      expect(await follow(kennitala)).toBe(ended);
      expect(await versionOf(kennitala)).toEqual(before);
      expect(await stack.dependencies.hints.unconfirmed()).toMatchObject({ count: count + 1 });
      // Of the person only the number is left.
      expect(JSON.stringify(await standing(kennitala))).not.toContain('Generated');
      await stack.dependencies.hints.forgetBefore(new Date(Date.now() + 1_000));
      expect(await stack.dependencies.hints.unconfirmed()).toMatchObject({ count: 0 });
    },
  );

  it('of an update that was rolled back: settles on what the registry keeps saying', async () => {
    const kennitala = await listed();
    await accept(hint(kennitala, 'update', sent(kennitala, { reachable: false })));
    script = [flat(kennitala)];
    expect(await follow(kennitala)).toBe('settled');
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { reachable: true, email: 'list@example.is' },
    });
    expect(HINT_PAUSES_MS.slice(1, looks).reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(
      SETTLED_AFTER_MS,
    );
  });
});

describe('an answer without id and version', () => {
  it('confirms the member, and overwrites neither address nor e-mail that the list gave', async () => {
    const kennitala = await listed({
      local_address: { street: 'Nýjagata', number: 2, letter: '', postal_code: 102, city: 'Reykjavík' },
    });
    await accept(hint(kennitala, 'update'));
    script = [flat(kennitala, { name: 'Renamed Person' })];
    expect(await follow(kennitala)).toBe('confirmed');
    const after = await stack.member(kennitala);
    expect(after?.['profile']).toMatchObject({ name: 'Renamed Person', email: 'list@example.is' });
    expect(after?.['profile'].addresses).toMatchObject([{ street: 'Nýjagata' }]);
  });

  it('is all there is about somebody of whom nothing else is known', async () => {
    const kennitala = fresh();
    await accept(hint(kennitala, 'create'));
    script = [flat(kennitala)];
    expect(await follow(kennitala)).toBe('confirmed');
    expect(await stack.member(kennitala)).toMatchObject({ profile: { email: 'years.ago@example.is' } });
  });

  it('gives way to what was sent, unless something was written since', async () => {
    const [kennitala, later] = [await listed(), await listed()];
    for (const one of [kennitala, later]) await accept(hint(one, 'update', sent(one)));
    // What comes within the millisecond of the hint counts as older.
    await delay(2);
    await stack.db.doc(`members/${later}`).update({ 'profile.email': 'later@example.is' });
    for (const one of [kennitala, later]) {
      script = [flat(one)];
      expect(await follow(one)).toBe('confirmed');
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
    await accept(hint(kennitala, action));
    script = [says === null ? null : flat(kennitala)];
    expect(await follow(kennitala)).toBe(ended);
    expect(await stack.member(kennitala)).toBeUndefined();
  });

  it('was erased while the hint waited: nothing is written, even by a look that is under way', async () => {
    const kennitala = fresh();
    await accept(hint(kennitala, 'update', sent(kennitala)));
    script = [
      async () => {
        await stack.db.doc(`webhook_hints/${kennitala}`).delete();
        return flat(kennitala);
      },
    ];
    expect(await follow(kennitala)).toBe('superseded');
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
    const kennitala = await listed();
    const body = typeof data === 'object' && !Array.isArray(data) ? sent(kennitala, data) : data;
    await accept(hint(kennitala, 'update', body));
    script = [flat(kennitala, { reachable: false })];
    expect(['confirmed', 'settled']).toContain(await follow(kennitala));
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
    expect(await standing(kennitala)).toBeUndefined();
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
    expect(await standing(kennitala)).toBeUndefined();
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
    const kennitala = await listed();
    await accept(hint(kennitala, 'update', sent(kennitala, { name: 'First Person' })));
    const first = await tokenOf(kennitala);
    script = [flat(kennitala)];
    const result = await follow(kennitala, first, async (look) => {
      if (look === 2) await accept(hint(kennitala, 'update', sent(kennitala, { name: 'Second Person' })));
    });
    expect(result).toBe('superseded');
    script = [flat(kennitala, { name: 'Second Person' })];
    expect(await follow(kennitala)).toBe('confirmed');
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Second Person' } });
    expect(await follow(kennitala, first)).toBe('superseded');
  });

  it.each([
    ['there', ['create', 'delete'], 'active'],
    ['gone', ['create', 'delete'], 'inactive'],
    ['there', ['delete', 'create'], 'active'],
    ['gone', ['delete', 'create'], 'inactive'],
  ])('whatever their order, a member who is %s in the end is so (%s)', async (is, actions, status) => {
    const kennitala = await listed();
    for (const action of actions) await accept(hint(kennitala, action));
    script = [flat(kennitala), null, is === 'there' ? flat(kennitala) : null];
    expect(await follow(kennitala)).toBe('settled');
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status } });
  });
});

describe('a following that breaks off', () => {
  it.each(['before', 'after'] as const)(
    '%s the commit: the next delivery of the event ends it',
    async (when) => {
      const kennitala = await listed();
      await accept(hint(kennitala, 'delete'));
      const token = await tokenOf(kennitala);
      script = [null];
      stack.firestore.failNext({
        method: 'commit',
        code: 7,
        when,
        matches: (request) => !JSON.stringify(request).includes('roster_refreshes'),
      });
      await expect(follow(kennitala, token)).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(await follow(kennitala, token)).toBe(when === 'before' ? 'confirmed' : 'superseded');
      expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
      expect(await standing(kennitala)).toBeUndefined();
    },
  );

  it('since the registry does not answer: the hint stands', async () => {
    const kennitala = await listed();
    await accept(hint(kennitala, 'delete'));
    script = [
      async () => {
        throw new SyncError('registry_unreachable', 'The registry is down.');
      },
    ];
    await expect(follow(kennitala)).rejects.toMatchObject({ code: 'registry_unreachable' });
    script = [null];
    expect(await follow(kennitala)).toBe('confirmed');
  });

  it('on a member who cannot be read: unconfirmed, and nothing is written', async () => {
    const kennitala = await listed();
    await accept(hint(kennitala, 'update'));
    script = [flat(kennitala, { gender: 7 })];
    const before = await versionOf(kennitala);
    expect(await follow(kennitala)).toBe('unconfirmed');
    expect(await versionOf(kennitala)).toEqual(before);
  });
});

describe('what one reading says', () => {
  const kennitala = '0101302989' as Kennitala;
  const contentOf = (id: number | null, email: string) =>
    parseRegistryMember({ id, ssn: kennitala, name: 'Generated Person', contact_info: { email } });
  const judge = (given: {
    announced?: ('create' | 'update' | 'delete')[];
    content?: ParsedMember | null;
    payload?: ParsedMember | null;
    sameForMs?: number;
  }) => {
    const { announced = ['update'], content = contentOf(1, 'a@b.is'), payload = null, sameForMs = 0 } = given;
    return judgeReading({
      hint: { announced: new Set(announced) },
      read:
        content === null
          ? { kennitala, action: 'delete', version: null, occurredAt: null, content }
          : { kennitala, action: 'update', version: null, occurredAt: null, content },
      payload,
      stored: null,
      sameForMs,
    });
  };

  it.each([
    ['an update, and what was sent is there', { payload: contentOf(1, 'a@b.is') }, 'confirmed'],
    ['an update, and something else is there', { payload: contentOf(1, 'c@d.is') }, 'open'],
    [
      'an update, and something else stays there',
      { payload: contentOf(1, 'c@d.is'), sameForMs: SETTLED_AFTER_MS },
      'settled',
    ],
    [
      'an update, and something else is there for less than that',
      { payload: contentOf(1, 'c@d.is'), sameForMs: SETTLED_AFTER_MS - 1 },
      'open',
    ],
    ['an update of nobody', { content: null }, 'awaited'],
    ['a delete of somebody who is there', { announced: ['delete'], sameForMs: SETTLED_AFTER_MS }, 'awaited'],
    ['a delete, and nobody is there', { announced: ['delete'], content: null }, 'confirmed'],
    ['both, and somebody is there', { announced: ['create', 'delete'] }, 'open'],
    ['both, and nobody is there', { announced: ['create', 'delete'], content: null }, 'awaited'],
    [
      'both, and nobody stays there',
      { announced: ['update', 'delete'], content: null, sameForMs: SETTLED_AFTER_MS },
      'settled',
    ],
  ] satisfies [string, Parameters<typeof judge>[0], string][])('of %s: %s', (_what, given, expected) => {
    expect(judge(given)).toBe(expected);
  });
});
