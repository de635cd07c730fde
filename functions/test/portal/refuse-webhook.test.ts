import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SyncError } from '../../src/lib/errors.ts';
import type { WebhookCall } from '../../src/portal/receive-webhook.ts';
import { event, eventId, SECRET, signed, someone } from '../support/registry-events.ts';
import { startWebhookStack, type WebhookStack } from '../support/stack.ts';

const OTHER_SECRET = `whsec_${Buffer.from('another secret of the tests, too').toString('base64')}`;

let stack: WebhookStack;
beforeAll(async () => {
  stack = await startWebhookStack();
});
afterAll(async () => {
  await stack.close();
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
    ...['.', '..', '__x__', '____', '__.*__'].map((id): [string, () => WebhookCall, number] => [
      `the id ${id}, which names no document`,
      () => signed(id, JSON.stringify(event(kennitala, 1, 'create'))),
      401,
    ]),
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
    ...(
      [
        ['a version past the last', { version: Number.MAX_SAFE_INTEGER }],
        ['a version of twenty digits', { version: 1e19 }],
        ['a time before the year 1', { occurred_at: '0000-01-01T00:00:00Z' }],
        ['a time before the year 1 in UTC', { occurred_at: '0001-01-01T00:00:00+02:00' }],
        ['a time after the year 9999 in UTC', { occurred_at: '9999-12-31T23:59:59-02:00' }],
        ['half a character in the name', { data: { ssn: kennitala, name: 'Jón \ud83d' } }],
        ['a null byte in an address', { data: { ssn: kennitala, local_address: { city: 'a\0b' } } }],
        [
          'a joining before the year 1',
          { data: { ssn: kennitala, date_joined: '0001-01-01T00:00:00+02:00' } },
        ],
        ['a name of 200 kB', { data: { ssn: kennitala, name: 'J'.repeat(200_000) } }],
      ] as const
    ).map(([what, values]): [string, () => WebhookCall, number] => [
      what,
      () => signed(eventId(), JSON.stringify({ ...event(kennitala, 1, 'create'), ...values })),
      400,
    ]),
  ])('%s: nothing is written', async (_what, call, expected) => {
    const answer = await stack.receive(call());
    expect(answer.status).toBe(expected);
    expect(answer.body).toHaveProperty('error');
    if (expected === 400) expect(answer.body).toHaveProperty('issues');
    expect(await stack.member(kennitala)).toBeUndefined();
    expect(JSON.stringify([answer, stack.logs])).not.toContain(kennitala);
  });

  it.each<[string, () => WebhookCall, object, object]>([
    [
      'is no POST, and which method is right',
      () => ({ ...good(), method: 'GET' }),
      { error: 'Send a POST.', code: 'method_not_allowed' },
      { allow: 'POST' },
    ],
    [
      'is too large, and what the limit is',
      () => signed(eventId(), 'x'.repeat(256 * 1024 + 1)),
      { error: 'The body is over 262144 bytes.', code: 'too_large' },
      {},
    ],
    [
      'is as large as may be, but no JSON',
      () => signed(eventId(), 'x'.repeat(256 * 1024)),
      {
        error: 'The body is not JSON.',
        code: 'invalid_request',
        issues: [{ path: 'body', message: 'The body is not JSON.' }],
      },
      {},
    ],
  ])('is told that it %s', async (_what, call, body, headers) => {
    const answer = await stack.receive(call());
    expect(answer.body).toEqual(body);
    for (const name of ['allow', 'retry-after'])
      expect(answer.headers[name]).toBe((headers as Record<string, string>)[name]);
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
    test: (one: WebhookStack, dropped: () => number) => Promise<void>,
  ) => {
    let drops = 0;
    const one = await startWebhookStack({
      keys: {
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
