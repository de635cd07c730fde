import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kennitala } from '../../src/domain/kennitala.ts';
import { SyncError } from '../../src/lib/errors.ts';
import {
  type DeliveryOptions,
  deliverNotifications,
  makeNotifications,
  sendWebhook,
} from '../../src/register/notify.ts';
import { planRegister } from '../../src/register/plan-register.ts';
import type { DueNotification, RegisterDifferences } from '../../src/register/ports.ts';
import { makeKennitalas } from '../support/kennitalas.ts';
import { NO_DIFFERENCES } from './support/differences.ts';

const NOW = new Date('2026-11-20T10:00:00.900Z');
const MINUTE_MS = 60_000;
const SECRET = `whsec_${Buffer.from('secret of the tests, 24b').toString('base64')}`;
const OTHER = `whsec_${Buffer.from('former secret of tests24').toString('base64')}`;
const SUBSCRIBERS = [
  { name: 'elections', url: 'https://elections.example.is/hook' },
  { name: 'paper', url: 'https://paper.example.is/hook' },
];

const due = (attempts: number, subscriber = 'elections'): DueNotification => ({
  id: String(attempts),
  messageId: `run-${attempts}`,
  subscriber,
  body: '{}',
  attempts,
});

/** An outbox of which each claim is a batch of its own, and then nothing is due. */
const deliver = async (batches: DueNotification[][], given: Partial<DeliveryOptions> = {}) => {
  const told: unknown[][] = [];
  const sent: Parameters<DeliveryOptions['send']>[0][] = [];
  const done = await deliverNotifications({
    outbox: {
      claimDue: async (options) => {
        told.push(['claim', options]);
        return batches.shift() ?? [];
      },
      markDelivered: async ({ messageId }, at) => void told.push(['delivered', messageId, at]),
      markFailed: async ({ messageId }, failure) => void told.push(['failed', messageId, failure]),
    },
    subscribers: SUBSCRIBERS,
    secretsOf: async (name) => [`secret of ${name}`],
    send: async (message) => {
      sent.push(message);
      return { kind: 'delivered' };
    },
    now: () => NOW,
    random: () => 0,
    logs: {
      notified: (...line) => void told.push(['notified', ...line]),
      notNotified: (...line) => void told.push(['not notified', ...line]),
    },
    ...given,
  });
  return { done, told, sent };
};
const claim = ['claim', { at: NOW, limit: 20, claimMs: 2 * MINUTE_MS }];

describe('what is due', () => {
  it('is sent to its subscriber, with that one’s secrets, batch after batch', async () => {
    const { done, told, sent } = await deliver([[due(1), due(2, 'paper')], [due(3)]]);
    expect(done).toEqual({ delivered: 3, failed: 0 });
    expect(sent).toEqual([
      { url: SUBSCRIBERS[0]?.url, messageId: 'run-1', body: '{}', secrets: ['secret of elections'], at: NOW },
      { url: SUBSCRIBERS[1]?.url, messageId: 'run-2', body: '{}', secrets: ['secret of paper'], at: NOW },
      { url: SUBSCRIBERS[0]?.url, messageId: 'run-3', body: '{}', secrets: ['secret of elections'], at: NOW },
    ]);
    expect(told.filter(([what]) => what === 'claim')).toEqual([claim, claim, claim]);
    expect(told).toContainEqual(['delivered', 'run-3', NOW]);
    expect(told).toContainEqual(['notified', 'paper', 'run-2', 2]);
  });

  it.each([
    [1, 1],
    [2, 5],
    [3, 30],
    [4, 120],
    [5, 300],
    [6, 600],
    [7, 840],
    [8, 1_200],
  ])(
    'and fails for the %i. time is tried again after %i minutes, and a tenth more at most',
    async (n, minutes) => {
      const send = async () => ({ kind: 'failed', error: 'status 500' }) as const;
      for (const [chance, factor] of [
        [0, 1],
        [0.5, 1.05],
      ] as const) {
        const { done, told } = await deliver([[due(n)]], { send, random: () => chance });
        const nextAttemptAt = new Date(NOW.getTime() + minutes * MINUTE_MS * factor);
        expect(done).toEqual({ delivered: 0, failed: 1 });
        expect(told.slice(1, 3)).toEqual([
          ['failed', `run-${n}`, { at: NOW, error: 'status 500', nextAttemptAt }],
          ['not notified', 'elections', `run-${n}`, n, 'status 500', false],
        ]);
      }
    },
  );

  it.each<[string, DueNotification, Partial<DeliveryOptions>, string]>([
    ['for the ninth time', due(9), { send: async () => ({ kind: 'failed', error: 'timeout' }) }, 'timeout'],
    ['to one that wants no more of it', due(1), { send: async () => ({ kind: 'gone' }) }, 'gone'],
    ['to one that is in the settings no more', due(1, 'nobody'), {}, 'gone'],
  ])('and goes %s is given up', async (_what, notification, given, error) => {
    const { told, sent } = await deliver([[notification]], given);
    expect(told[1]).toEqual(['failed', notification.messageId, { at: NOW, error, nextAttemptAt: null }]);
    expect(told[2]).toMatchObject({ 4: error, 5: true });
    expect(sent).toEqual([]);
  });

  it('waits where its secret cannot be read; a fault of ours is none of the subscriber’s', async () => {
    const failing = (cause: Error) => ({
      secretsOf: async () => {
        throw cause;
      },
    });
    const { told } = await deliver([[due(1)]], failing(new SyncError('secret_unavailable', 'no')));
    expect(told[1]).toMatchObject(['failed', 'run-1', { error: 'secret_unavailable' }]);
    await expect(deliver([[due(1)]], failing(new TypeError('a fault')))).rejects.toThrow(TypeError);
  });
});

describe('one message', () => {
  let server: Server;
  let url: string;
  let status = 204;
  let isSilent = false;
  let requests: { headers: IncomingHttpHeaders; method: unknown; body: string }[] = [];
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      requests.push({
        headers: request.headers,
        method: request.method,
        body: Buffer.concat(chunks).toString(),
      });
      if (isSilent) return;
      response.writeHead(status, status === 302 ? { location: `${url}/moved` } : {}).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  afterAll(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  beforeEach(() => {
    requests = [];
  });
  const send = (more: Partial<Parameters<typeof sendWebhook>[0]> = {}) =>
    sendWebhook({
      url,
      messageId: 'run-1',
      body: '{"a":1}',
      secrets: [SECRET, OTHER],
      at: new Date(),
      ...more,
    });

  it.each([
    [200, { kind: 'delivered' }],
    [204, { kind: 'delivered' }],
    [302, { kind: 'failed', error: 'status 302' }],
    [404, { kind: 'failed', error: 'status 404' }],
    [410, { kind: 'gone' }],
    [500, { kind: 'failed', error: 'status 500' }],
  ])('that is answered with %i', async (answered, outcome) => {
    status = answered;
    expect(await send()).toEqual(outcome);
    expect(requests).toHaveLength(1);
  });

  it('is posted as JSON, and signed with each secret in force', async () => {
    status = 204;
    const at = new Date();
    await send({ at });
    const [{ headers, ...request } = { headers: {} as IncomingHttpHeaders }] = requests;
    expect(request).toEqual({ method: 'POST', body: '{"a":1}' });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'ekklesia-membership-sync',
      'webhook-id': 'run-1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    });
    expect(String(headers['webhook-signature']).split(' ')).toEqual(
      [SECRET, OTHER].map((secret) => new Webhook(secret).sign('run-1', at, '{"a":1}')),
    );
  });

  it('cannot be signed with what is no secret, and nobody is asked', async () => {
    expect(await send({ secrets: [SECRET, 'not base64 at all!'] })).toEqual({
      kind: 'failed',
      error: 'unusable secret',
    });
    expect(requests).toEqual([]);
  });

  it('waits ten seconds for an answer', async () => {
    const { timeout } = AbortSignal;
    const spied = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(20));
    isSilent = true;
    try {
      expect(await send()).toEqual({ kind: 'failed', error: 'timeout' });
      expect(spied.mock.calls).toEqual([[10_000]]);
    } finally {
      isSilent = false;
      spied.mockRestore();
    }
  });

  it('to an address where nobody listens', async () => {
    expect(await send({ url: 'http://127.0.0.1:1/hook' })).toEqual({
      kind: 'failed',
      error: 'no connection',
    });
  });
});

describe('the messages of a run', () => {
  const people = makeKennitalas(1_001, 68_000);
  const [one, two, three] = people as [Kennitala, Kennitala, Kennitala];
  const messages = (given: Partial<RegisterDifferences>, subscribers = SUBSCRIBERS) =>
    makeNotifications(
      planRegister({
        differences: { ...NO_DIFFERENCES, ...given },
        received: 10,
        quarantined: 0,
        sourceDigest: 's',
        lastMemberCount: 10,
      }),
      { runId: 'run 1', startedAt: NOW },
      {
        referTo: (kennitala) => `m_${people.indexOf(kennitala)}`,
        subscribers,
        apiUrl: 'https://api.example.is',
      },
    );

  it('are one a subscriber, of whoever left, came and changed', () => {
    const made = messages({ added: [one], updated: [two], removed: [three] });
    expect(made.map(({ subscriber, messageId }) => [subscriber, messageId])).toEqual([
      ['elections', 'run 1'],
      ['paper', 'run 1'],
    ]);
    expect(JSON.parse(made[0]?.body ?? '')).toEqual({
      type: 'membership.changed',
      timestamp: NOW.toISOString(),
      run: 'run 1',
      added: 1,
      removed: 1,
      updated: 1,
      members: ['m_2', 'm_0', 'm_1'],
      complete: true,
      details: 'https://api.example.is/sync/runs/run%201/changes',
    });
  });

  it('are none where nothing changed, or nobody wants to know', () => {
    expect(messages({})).toEqual([]);
    expect(messages({ added: [one] }, [])).toEqual([]);
  });

  it('name a thousand members, and say where there are more', () => {
    const of = (count: number) => JSON.parse(messages({ added: people.slice(0, count) })[0]?.body ?? '');
    expect([of(1_000).members.length, of(1_000).complete]).toEqual([1_000, true]);
    expect([of(1_001).members.length, of(1_001).complete, of(1_001).added]).toEqual([1_000, false, 1_001]);
  });
});
