import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as all from '../../src/index.ts';
import { type RunningFunction, startFunction } from './support/start-function.ts';

/** Stands in everything that is sent, and must never be printed or answered. */
const MARK = 'Mark-7f3a9c';
const json = { 'content-type': 'application/json' };
const MEBIBYTE = 1_048_576;
const MEMORY_LIMIT_MIB = 200;

/** Several members of gzip after each other are one gzip file: about a megabyte that becomes a thousand. */
const bomb = Buffer.concat(Array(20).fill(gzipSync(Buffer.alloc(50_000_000, MARK))));
const emptyLists = Buffer.from(`["${MARK}",${'[],'.repeat(10 * MEBIBYTE)}[]]`);
const form = Array.from({ length: 1_200 }, (_, index) => `${MARK}${index}=${MARK}`).join('&');

interface Hostile {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** What every function answers; without it what becomes of a caller who is not known: see UNKNOWN_CALLER. */
  readonly status?: number;
}

const HOSTILE: Readonly<Record<string, Hostile>> = {
  'JSON that is cut off': { headers: json, body: `{"a": "${MARK}` },
  'JSON that is none, as a CloudEvent': {
    headers: { 'content-type': 'application/cloudevents+json' },
    body: `[${MARK}`,
  },
  'JSON of another charset': {
    headers: { 'content-type': 'application/json; charset=utf-7' },
    body: `"${MARK}"`,
  },
  'text of a charset that is none': {
    headers: { 'content-type': `text/plain; charset=${MARK}` },
    body: MARK,
  },
  'a form of 1,200 parameters': {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
  },
  'a deep form': {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `${'a[b]'.repeat(2_000)}=${MARK}`,
  },
  'a path with a bad escape': { path: `/${MARK}/%E0%A4%A`, status: 400 },
  'a path with a bad escape, and a body': { path: '/%', headers: json, body: `{"${MARK}`, status: 400 },
  'a path that names another server': { path: `//${MARK}:99999/` },
  'a path that is an address': { path: `http://${MARK}/`, status: 400 },
  'a query with a bad escape': { path: `/?${MARK}=%E0%A4%A`, headers: json, body: `{"${MARK}` },
  'a megabyte of gzip that becomes a thousand': {
    headers: { ...json, 'content-encoding': 'gzip' },
    body: bomb,
    status: 415,
  },
  'brotli that is none': { headers: { ...json, 'content-encoding': 'br' }, body: MARK, status: 415 },
  'an encoding that is none': { headers: { ...json, 'content-encoding': MARK }, body: MARK, status: 415 },
  'encodings in a row': { headers: { 'content-encoding': 'identity, gzip' }, body: MARK, status: 415 },
  'thirty megabytes of empty lists': { headers: json, body: emptyLists, status: 413 },
  'thirty megabytes of anything': { headers: { 'content-type': 'image/png' }, body: emptyLists, status: 413 },
  'thirty megabytes in chunks': {
    headers: { ...json, 'transfer-encoding': 'chunked' },
    body: emptyLists,
    status: 413,
  },
  'a method that nobody serves': { method: 'TRACE', headers: { 'x-mark': MARK }, status: 405 },
  'an execution id of the caller': {
    headers: { ...json, 'function-execution-id': MARK, 'x-cloud-trace-context': `${MARK}/1;o=1` },
    body: `"${MARK}`,
  },
  'an expectation that nobody meets': { headers: { ...json, expect: MARK }, body: `"${MARK}` },
  'a token that is none': { headers: { ...json, authorization: `Bearer ${MARK}` }, body: `{"${MARK}": 1}` },
};

/** No credentials of Google's can be loaded, as when the metadata server is out of reach. */
const ENV = {
  GOOGLE_APPLICATION_CREDENTIALS: '/nonexistent/credentials.json',
  DJANGO_BASE_URL: 'https://registry.example.is',
  DATABASE_URL: 'postgres://user@127.0.0.1:9/members',
};

/** Of a POST to `/`. The register's API and the webhook cannot know anybody: their secrets cannot be read. */
const UNKNOWN_CALLER: Readonly<Record<string, number>> = {
  opsApi: 404,
  membershipSync: 503,
  syncFromDjango: 503,
};

const endpointOf = (made: unknown): object => (made as { __endpoint: object }).__endpoint;
const HTTP_FUNCTIONS = Object.entries(all)
  .filter(([, made]) => 'httpsTrigger' in endpointOf(made))
  .map(([name]) => name);

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Through node:http, which sends any method, path and header as it is told. */
const send = (port: number, hostile: Hostile): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'POST', path = '/', headers = {}, body = '' } = hostile;
    const isChunked = 'transfer-encoding' in headers;
    const sent = rawRequest(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...headers, ...(isChunked ? {} : { 'content-length': Buffer.byteLength(body) }) },
      },
      async (response) => {
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: await text(response),
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });

/** The entries that Cloud Logging takes for errors. */
const errorsIn = (output: string): string[] =>
  output.split('\n').filter((line) => line.includes('"severity":"ERROR"'));

it('there are HTTP functions to try', () => {
  expect(HTTP_FUNCTIONS).toContain('opsApi');
  expect(HTTP_FUNCTIONS).toContain('syncFromDjango');
});

describe.each(HTTP_FUNCTIONS)('%s behind the platform’s own front', (target) => {
  let running: RunningFunction;
  beforeAll(async () => {
    running = await startFunction({ target, env: ENV });
  });
  afterAll(() => running.stop());

  it.each(Object.entries(HOSTILE))('answers %s itself', async (_what, hostile) => {
    const answer = await send(running.port, hostile);
    const expected = hostile.status ?? UNKNOWN_CALLER[target] ?? 401;
    expect({ status: answer.status, body: answer.body }).toEqual({ status: expected, body: answer.body });
    expect(answer.type).toMatch(/^application\/(problem\+)?json/);
    const body: unknown = JSON.parse(answer.body);
    expect(body).toHaveProperty('code');
    expect(answer.body).not.toContain(MARK);
  });

  it('lets go of a request that ends half-way', async () => {
    const socket = connect(running.port, '127.0.0.1');
    socket.write(
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"${MARK}`,
    );
    await setTimeout(50);
    socket.destroy();
    expect((await send(running.port, { path: '/%' })).status).toBe(400);
  });

  it('printed nothing of what was sent, still runs, and never held much', async () => {
    // What it printed last is on its way through the pipe.
    await setTimeout(200);
    expect(running.output()).toMatch(/_refused/);
    expect(running.output()).not.toContain(MARK);
    expect(running.output()).not.toMatch(/unhandled|uncaught/i);
    // Its secrets cannot be read, which is one fault, however many strangers ran into it.
    expect(errorsIn(running.output()).length).toBeLessThanOrEqual(1);
    expect(running.exitCode()).toBeNull();
    expect(await running.peakMemory()).toBeLessThan(MEMORY_LIMIT_MIB);
  });
});

it('membershipSync without a database names the setting that is missing', async () => {
  const running = await startFunction({
    target: 'membershipSync',
    env: { DJANGO_BASE_URL: ENV.DJANGO_BASE_URL },
  });
  try {
    const answer = await send(running.port, { method: 'GET', path: '/health' });
    expect({ ...answer, body: JSON.parse(answer.body) }).toMatchObject({
      status: 500,
      type: 'application/problem+json; charset=utf-8',
      body: { code: 'config_invalid', detail: expect.stringContaining('CLOUD_SQL_INSTANCE or DATABASE_URL') },
    });
  } finally {
    await running.stop();
  }
});

it('a deployed function does not start where it would believe an emulator', async () => {
  const env = { ...ENV, FIRESTORE_EMULATOR_HOST: '127.0.0.1:9' };
  await expect(startFunction({ target: 'opsApi', env })).rejects.toThrow('FIRESTORE_EMULATOR_HOST');
});

describe.each(HTTP_FUNCTIONS)('%s with settings that are wrong', (target) => {
  it('says so as JSON, and which they are in the log alone', async () => {
    const running = await startFunction({ target, env: { DJANGO_BASE_URL: 'ftp://registry.example.is' } });
    try {
      const answer = await send(running.port, { headers: json });
      expect({ status: answer.status, ...JSON.parse(answer.body) }).toMatchObject({ code: 'config_invalid' });
      expect(answer.body).not.toContain('ftp:');
      await expect.poll(running.output).toContain('ftp://registry.example.is');
      // However often strangers call: the cause is an error once, and so is the refusal.
      const told = errorsIn(running.output()).length;
      for (let n = 0; n < 5; n += 1) await send(running.port, { headers: json });
      await expect.poll(() => running.output().split('ftp://registry.example.is').length).toBeGreaterThan(6);
      expect(told).toBeGreaterThan(0);
      expect(errorsIn(running.output())).toHaveLength(told);
      expect(running.exitCode()).toBeNull();
    } finally {
      await running.stop();
    }
  });
});
