import { status } from '@grpc/grpc-js';
import { Timestamp } from 'firebase-admin/firestore';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import type { WebhookCall } from '../../src/portal/receive-webhook.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { type PortalStack, SECRET, signed, startPortalStack } from '../support/portal-stack.ts';

const OTHER_SECRET = `whsec_${Buffer.from('another secret of the tests, too').toString('base64')}`;
const numbers = makeKennitalas(200);
let used = 0;
/** A member of this test alone. */
const someone = (): string => numbers[used++] ?? '';
let events = 0;
const eventId = (): string => {
  events += 1;
  return `msg_${events}`;
};

const event = (kennitala: string, version: number | null, action = 'update', data: object = {}) => ({
  kennitala,
  action,
  ...(action === 'delete' ? {} : { data: { ssn: kennitala, name: 'Generated Person', ...data } }),
  ...(version === null ? {} : { version }),
  occurred_at: '2026-11-20T10:00:00Z',
});

let stack: PortalStack;
beforeAll(async () => {
  stack = await startPortalStack();
});
afterAll(async () => {
  await stack.close();
});

const resultOf = async (answer: Promise<{ status: number; body: object }>) => {
  const { status: code, body } = await answer;
  return { status: code, ...body } as Record<string, unknown>;
};

describe('an event of a member', () => {
  it('creates, changes and deletes the portal document, and answers with an opaque reference', async () => {
    const kennitala = someone();
    const created = await resultOf(
      stack.deliver(eventId(), event(kennitala, 1, 'create', { contact_info: { email: 'a@b.is' } })),
    );
    expect(created).toMatchObject({ status: 200, success: true, result: 'applied', action: 'create' });
    expect(created['member']).toMatch(/^m_[0-9a-f]{16}$/);
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { kennitala, name: 'Generated Person', email: 'a@b.is', reachable: false },
      membership: { status: 'active' },
      metadata: { source_version: 1, origin: 'registry', deleted_at: null, schema_version: 1 },
    });
    await stack.deliver(eventId(), event(kennitala, 2, 'update', { contact_info: { email: 'c@d.is' } }));
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { email: 'c@d.is' },
      metadata: { source_version: 2 },
    });
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 3, 'delete')))).toMatchObject({
      result: 'applied',
    });
    const gone = await stack.member(kennitala);
    expect(gone).toMatchObject({ membership: { status: 'inactive' }, metadata: { source_version: 3 } });
    expect(gone?.['metadata'].deleted_at).toBeInstanceOf(Timestamp);
  });

  it('is applied once: a repetition gets the first answer and writes nothing', async () => {
    const kennitala = someone();
    const id = eventId();
    const first = await resultOf(stack.deliver(id, event(kennitala, 1, 'create')));
    await stack.deliver(eventId(), event(kennitala, 2, 'update', { name: 'Renamed Person' }));
    const again = await resultOf(stack.deliver(id, event(kennitala, 1, 'create')));
    expect(again).toEqual({ ...first, result: 'duplicate' });
    expect(await stack.member(kennitala)).toMatchObject({ profile: { name: 'Renamed Person' } });
  });

  it.each([
    ['an older update', 'update', 4],
    ['an update of the same version', 'update', 5],
    ['an older delete', 'delete', 4],
    ['an older create', 'create', 1],
  ])('%s is stale', async (_what, action, version) => {
    const kennitala = someone();
    await stack.deliver(eventId(), event(kennitala, 5, 'create'));
    const before = await stack.member(kennitala);
    expect(
      await resultOf(stack.deliver(eventId(), event(kennitala, version, action, { name: 'Late Person' }))),
    ).toMatchObject({
      status: 200,
      result: 'stale',
    });
    expect(await stack.member(kennitala)).toEqual(before);
  });

  it('a delete of a member that was never seen leaves a tombstone, which a late update cannot revive', async () => {
    const kennitala = someone();
    await stack.deliver(eventId(), event(kennitala, 7, 'delete'));
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 6)))).toMatchObject({ result: 'stale' });
    expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'inactive' } });
    expect(await resultOf(stack.deliver(eventId(), event(kennitala, 8, 'create')))).toMatchObject({
      result: 'applied',
    });
    expect(await stack.member(kennitala)).toMatchObject({
      membership: { status: 'active' },
      metadata: { deleted_at: null },
    });
  });

  it('ends in the newest version when fifty come at once in any order', async () => {
    const kennitala = someone();
    const versions = Array.from({ length: 50 }, (_, n) => n + 1).sort(
      (a, b) => ((a * 37) % 50) - ((b * 37) % 50),
    );
    const answers = await Promise.all(
      versions.map((version) =>
        stack.deliver(eventId(), event(kennitala, version, 'update', { name: `Person ${version}` })),
      ),
    );
    for (const [n, answer] of answers.entries()) {
      if (answer.status === 503)
        expect(
          (
            await stack.deliver(
              eventId(),
              event(kennitala, versions[n] ?? 0, 'update', { name: `Person ${versions[n]}` }),
            )
          ).status,
        ).toBe(200);
    }
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { name: 'Person 50' },
      metadata: { source_version: 50 },
    });
  });

  it('keeps a portal edit that is newer than the event, and lets an older one go', async () => {
    const kennitala = someone();
    await stack.deliver(
      eventId(),
      event(kennitala, 1, 'create', { contact_info: { email: 'old@b.is', phone: '5551234' } }),
    );
    const edit = (path: string, value: string, at: string) =>
      stack.db.collection('sync_queue').add({
        kennitala,
        sync_status: 'pending',
        edited_at: Timestamp.fromDate(new Date(at)),
        changes: { [path]: { old_value: null, new_value: value } },
      });
    await edit('profile.email', 'mine@b.is', '2026-11-20T11:00:00Z');
    await edit('profile.phone', '5559999', '2026-11-20T09:00:00Z');
    await stack.deliver(
      eventId(),
      event(kennitala, 2, 'update', { contact_info: { email: 'new@b.is', phone: '5550000' } }),
    );
    expect(await stack.member(kennitala)).toMatchObject({
      profile: { email: 'mine@b.is', phone: '5550000' },
    });
  });

  it('skips placeholders', async () => {
    expect(await resultOf(stack.deliver(eventId(), event('9999000001', 1, 'create')))).toMatchObject({
      status: 200,
      result: 'skipped',
    });
    expect(await stack.member('9999000001')).toBeUndefined();
  });

  it('asks once for a new roster when members join or leave, and not when they change', async () => {
    const fresh = await startPortalStack();
    try {
      const kennitala = someone();
      await fresh.deliver('a', event(kennitala, 1, 'create'));
      await fresh.deliver('b', event(someone(), 1, 'create'));
      const afterJoining = await fresh.refreshes();
      expect(afterJoining).toBeGreaterThanOrEqual(1);
      expect(afterJoining).toBeLessThanOrEqual(2);
      await fresh.db.recursiveDelete(fresh.db.collection('roster_refreshes'));
      await fresh.deliver('c', event(kennitala, 2, 'update'));
      expect(await fresh.refreshes()).toBe(0);
    } finally {
      await fresh.close();
    }
  });
});

describe('a call that is refused', () => {
  const kennitala = someone();
  const good = () => signed(eventId(), JSON.stringify(event(kennitala, 1, 'create')));
  const withHeaders = (headers: Partial<WebhookCall['headers']>): WebhookCall => {
    const call = good();
    return { ...call, headers: { ...call.headers, ...headers } };
  };
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

  it.each<[string, () => WebhookCall, number]>([
    ['not a POST', () => ({ ...good(), method: 'GET' }), 405],
    ['a body over 256 KiB', () => signed(eventId(), `"${'x'.repeat(256 * 1024)}"`), 413],
    ['no signature', () => withHeaders({ signature: undefined }), 401],
    ['no id', () => withHeaders({ id: undefined }), 401],
    ['no timestamp', () => withHeaders({ timestamp: undefined }), 401],
    ['an id that is a path', () => withHeaders({ id: '../members/x' }), 401],
    ['a timestamp with letters after it', () => withHeaders({ timestamp: '1700000000abc' }), 401],
    ['another secret', () => signed(eventId(), JSON.stringify(event(kennitala, 1)), OTHER_SECRET), 401],
    ['a body that was changed', () => ({ ...good(), rawBody: Buffer.from('{}') }), 401],
    ['an id that was changed', () => withHeaders({ id: 'msg_other' }), 401],
    ['a signature of another version', () => withHeaders({ signature: 'v2,AAAA' }), 401],
    [
      'a flood of signatures',
      () => withHeaders({ signature: Array.from({ length: 9 }, () => 'v1,AAAA').join(' ') }),
      401,
    ],
    ['one of six minutes ago', () => signed(eventId(), '{}', SECRET, minutesAgo(6)), 401],
    ['one of in six minutes', () => signed(eventId(), '{}', SECRET, minutesAgo(-6)), 401],
    [
      'a bearer key, when that is not allowed',
      () => withHeaders({ signature: undefined, authorization: 'Bearer k' }),
      401,
    ],
    ['a body that is not JSON', () => signed(eventId(), 'not JSON'), 400],
    ['a JSON text', () => signed(eventId(), '"text"'), 400],
    ['no kennitala', () => signed(eventId(), '{"action":"delete"}'), 400],
    [
      'a kennitala that cannot be read',
      () => signed(eventId(), JSON.stringify(event('123', 1, 'delete'))),
      400,
    ],
    ['an unknown action', () => signed(eventId(), JSON.stringify(event(kennitala, 1, 'upsert'))), 400],
    [
      'an update without data',
      () => signed(eventId(), JSON.stringify({ kennitala, action: 'update', version: 1 })),
      400,
    ],
    [
      'another member in data',
      () => signed(eventId(), JSON.stringify({ ...event(kennitala, 1), data: { ssn: someone() } })),
      400,
    ],
    [
      'a gender of 9',
      () => signed(eventId(), JSON.stringify(event(kennitala, 1, 'create', { gender: 9 }))),
      400,
    ],
    [
      'a version that is text',
      () => signed(eventId(), JSON.stringify({ ...event(kennitala, 1), version: 'x' })),
      400,
    ],
  ])('%s: nothing is written', async (_what, call, expected) => {
    const answer = await stack.receive(call());
    expect(answer.status).toBe(expected);
    expect(answer.body).toHaveProperty('error');
    if (expected === 400) expect(answer.body).toHaveProperty('issues');
    expect(await stack.member(kennitala)).toBeUndefined();
    expect(JSON.stringify([answer, stack.logs])).not.toContain(kennitala);
  });

  it('accepts a signature four minutes old, and one of several', async () => {
    const body = JSON.stringify(event(someone(), 1, 'create'));
    expect((await stack.receive(signed(eventId(), body, SECRET, minutesAgo(4)))).status).toBe(200);
    const call = signed(eventId(), body);
    const headers = { ...call.headers, signature: `v1,AAAA v1a,BBBB ${call.headers.signature}` };
    expect((await stack.receive({ ...call, headers })).status).toBe(200);
  });
});

describe('secrets', () => {
  const withSecrets = async (
    signing: () => Promise<readonly string[]>,
    test: (one: PortalStack, dropped: () => number) => Promise<void>,
  ) => {
    let drops = 0;
    const one = await startPortalStack({
      secrets: {
        signing: {
          readAll: signing,
          drop: () => {
            drops += 1;
          },
        },
      },
    });
    try {
      await test(one, () => drops);
    } finally {
      await one.close();
    }
  };

  it('accepts every version in force during a rotation', async () => {
    await withSecrets(
      async () => [OTHER_SECRET, SECRET],
      async (one) => {
        expect((await one.deliver('a', event(someone(), 1, 'create'), SECRET)).status).toBe(200);
        expect((await one.deliver('b', event(someone(), 1, 'create'), OTHER_SECRET)).status).toBe(200);
      },
    );
  });

  it('reads the secrets again for a signature that no cached one made, but not for each of a flood', async () => {
    let inForce = [SECRET];
    await withSecrets(
      async () => inForce,
      async (one, dropped) => {
        expect((await one.deliver('a', event(someone(), 1, 'create'), OTHER_SECRET)).status).toBe(401);
        expect((await one.deliver('b', event(someone(), 1, 'create'), OTHER_SECRET)).status).toBe(401);
        expect(dropped()).toBe(1);
      },
    );
    inForce = [SECRET];
    let reads = 0;
    const rotating = async () => (reads++ === 0 ? [SECRET] : [OTHER_SECRET]);
    await withSecrets(rotating, async (one) => {
      expect((await one.deliver('a', event(someone(), 1, 'create'), OTHER_SECRET)).status).toBe(200);
    });
  });

  it('ignores a version that was stored wrongly, and asks to try again when none is right or readable', async () => {
    await withSecrets(
      async () => ['whsec_%%%', SECRET],
      async (one) => {
        expect((await one.deliver('a', event(someone(), 1, 'create'))).status).toBe(200);
      },
    );
    await withSecrets(
      async () => ['whsec_%%%'],
      async (one) => {
        expect((await one.deliver('a', event(someone(), 1, 'create'))).status).toBe(503);
      },
    );
    const down = async () => {
      throw new SyncError('secret_unavailable', 'Secret Manager did not answer.');
    };
    await withSecrets(down, async (one) => {
      const answer = await one.deliver('a', event(someone(), 1, 'create'));
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    });
  });
});

describe('Firestore that fails', () => {
  it.each(['before', 'after'] as const)(
    '%s the commit took effect: 503, and the repetition ends well',
    async (when) => {
      const kennitala = someone();
      const id = eventId();
      stack.firestore.failNext({ method: 'commit', code: status.PERMISSION_DENIED, when });
      const failed = await stack.deliver(id, event(kennitala, 1, 'create'));
      expect([failed.status, failed.headers['retry-after']]).toEqual([503, '5']);
      expect(await resultOf(stack.deliver(id, event(kennitala, 1, 'create')))).toMatchObject({
        status: 200,
        result: when === 'before' ? 'applied' : 'duplicate',
      });
      expect(await stack.member(kennitala)).toMatchObject({ membership: { status: 'active' } });
    },
  );

  it('for the roster refresh alone: 503, and the repetition asks for it', async () => {
    const one = await startPortalStack();
    try {
      const kennitala = someone();
      one.firestore.failNext({
        method: 'commit',
        code: status.PERMISSION_DENIED,
        matches: (request) => JSON.stringify(request).includes('roster_refreshes'),
      });
      expect((await one.deliver('a', event(kennitala, 1, 'create'))).status).toBe(503);
      expect(await one.refreshes()).toBe(0);
      expect(await resultOf(one.deliver('a', event(kennitala, 1, 'create')))).toMatchObject({
        result: 'duplicate',
      });
      expect(await one.refreshes()).toBe(1);
    } finally {
      await one.close();
    }
  });
});

describe('a register that follows the webhook', () => {
  it('is given each versioned event, and its failure does not make the sender repeat', async () => {
    const versions: (number | null)[] = [];
    const one = await startPortalStack({
      register: async ({ version }) => {
        versions.push(version);
        if (version === 2) throw new SyncError('database_unavailable', 'PostgreSQL did not answer.');
      },
    });
    try {
      const kennitala = someone();
      expect((await one.deliver('a', event(kennitala, 1, 'create'))).status).toBe(200);
      expect((await one.deliver('b', event(kennitala, 2))).status).toBe(200);
      expect(versions).toEqual([1, 2]);
      expect(
        one.logs.find(({ fields }) => fields['event'] === 'webhook_register_missed')?.fields,
      ).toMatchObject({
        code: 'database_unavailable',
      });
    } finally {
      await one.close();
    }
  });
});
