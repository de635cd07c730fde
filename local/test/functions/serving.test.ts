import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureHost, PROJECT, startFixture } from './fixture-host.ts';
import { FAILING_SCHEDULE_TIME } from './fixtures/functions.ts';

let host: FixtureHost;
beforeAll(async () => {
  host = await startFixture({ env: { REGISTRY_URL: 'http://127.0.0.1:8000', TZ: 'Atlantic/Reykjavik' } });
});
afterAll(() => host.functions.close());

const post = (url: string, type: string, body: string) =>
  fetch(url, { method: 'POST', headers: { 'content-type': type, 'webhook-signature': 'v1,abc' }, body });

describe('an HTTPS function', () => {
  it('sees the path and the query behind its own name', async () => {
    const answer = await (await fetch(`${host.url('echo')}/runs/7?dry=1&dry=2`)).json();
    expect(answer).toMatchObject({
      method: 'GET',
      url: '/runs/7?dry=1&dry=2',
      path: '/runs/7',
      query: { dry: ['1', '2'] },
    });
  });

  it('sees / where nothing follows its name', async () => {
    expect(await (await fetch(host.url('echo'))).json()).toMatchObject({ url: '/', path: '/' });
  });

  it.each([
    ['application/json', '{ "a": 1 }', { a: 1 }],
    ['application/json; charset=utf-8', '[1]', [1]],
    ['application/x-www-form-urlencoded', 'a=1&b[]=2', { a: '1', b: ['2'] }],
    ['text/plain', 'plain', 'plain'],
    ['application/octet-stream', 'raw', { type: 'Buffer', data: [...Buffer.from('raw')] }],
  ])('gets a body of %s parsed, and its raw bytes', async (type, sent, parsed) => {
    const answer = await (await post(host.url('echo'), type, sent)).json();
    expect(answer).toMatchObject({
      body: parsed,
      raw: Buffer.from(sent).toString('base64'),
      signature: 'v1,abc',
    });
  });

  it('gets a body of more than a megabyte', async () => {
    const sent = JSON.stringify({ text: 'x'.repeat(2_000_000) });
    const answer = await (await post(host.url('echo'), 'application/json', sent)).json();
    expect(answer).toMatchObject({ raw: Buffer.from(sent).toString('base64') });
  });

  it('answers 400 for JSON that cannot be parsed, without being called', async () => {
    expect((await post(host.url('echo'), 'application/json', '{')).status).toBe(400);
  });

  it('answers 500 when it throws, and the error is logged', async () => {
    expect((await fetch(host.url('failing'))).status).toBe(500);
    await host.logged((line) => JSON.stringify(line).includes('the fixture fails'));
  });

  it('of a group is served under the name that it is deployed with, in its own region', async () => {
    expect(host.url('group-inner')).toBe(`${host.functions.url}/${PROJECT}/us-central1/group-inner`);
    expect(await (await fetch(host.url('group-inner'))).text()).toBe('inner');
  });

  it.each([
    `/${PROJECT}/europe-west2/missing`,
    `/${PROJECT}/us-central1/echo`,
    '/another-project/europe-west2/echo',
    '/',
  ])('is not found at %s', async (path) => {
    const response = await fetch(host.functions.url + path, { method: 'POST' });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain(`/${PROJECT}/europe-west2/echo`);
  });
});

describe('a caller', () => {
  /** `fetch` sets `Host` and `Origin` itself, so the request is made a layer below. */
  const statusOf = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const sent = request(host.url('echo'), { headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });

  it.each([
    ['of this machine', {}, 200],
    ['that is a page of this machine', { origin: 'http://localhost:5000' }, 200],
    ['that is a page of another site', { origin: 'https://site.example' }, 403],
    ['that is a page without an origin of its own', { origin: 'null' }, 403],
    ['to whom a foreign name leads here', { host: 'site.example:5001' }, 403],
  ])('%s is answered %s', async (_who, headers, status) => {
    expect(await statusOf(headers)).toBe(status);
  });
});

describe('a scheduled function', () => {
  it.each(['', '-0'])(
    'runs on a POST to its name followed by "%s", as the job that Cloud Scheduler would run',
    async (suffix) => {
      const response = await fetch(host.url('nightly') + suffix, { method: 'POST' });
      expect(response.status).toBe(200);
      const line = await host.logged((logged) => logged.message === 'nightly ran');
      expect(line).toMatchObject({ severity: 'INFO', jobName: 'firebase-schedule-nightly-europe-west2' });
      expect(line['scheduleTime']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    },
  );

  it('is told the time that the caller gives, so that a duplicate delivery can be imitated', async () => {
    const headers = { 'X-CloudScheduler-ScheduleTime': '2026-11-20T03:30:00Z' };
    await fetch(host.url('nightly'), { method: 'POST', headers });
    await host.logged((line) => line['scheduleTime'] === headers['X-CloudScheduler-ScheduleTime']);
  });

  it('answers 500 when it fails', async () => {
    const headers = { 'X-CloudScheduler-ScheduleTime': FAILING_SCHEDULE_TIME };
    expect((await fetch(host.url('nightly'), { method: 'POST', headers })).status).toBe(500);
  });

  it('does not run on a GET', async () => {
    expect((await fetch(host.url('nightly'))).status).toBe(405);
  });

  it('is listed with its schedule', () => {
    expect(host.functions.functions.find((one) => one.name === 'nightly')).toMatchObject({
      kind: 'schedule',
      region: 'europe-west2',
      schedule: { expression: '30 3 * * *', timeZone: 'Atlantic/Reykjavik' },
    });
  });
});

it('the functions have the environment of production and the settings given, and nothing of the developer', async () => {
  const response = await fetch(host.url('environment'));
  // The fixture answers with its process.env.
  const environment = (await response.json()) as Record<string, string>;
  expect(environment).toMatchObject({
    GCLOUD_PROJECT: PROJECT,
    GOOGLE_CLOUD_PROJECT: PROJECT,
    FUNCTION_TARGET: 'environment',
    FUNCTION_SIGNATURE_TYPE: 'http',
    K_SERVICE: 'environment',
    FUNCTIONS_EMULATOR: 'true',
    REGISTRY_URL: 'http://127.0.0.1:8000',
    TZ: 'Atlantic/Reykjavik',
  });
  expect(JSON.parse(environment['FIREBASE_CONFIG'] ?? '')).toEqual({
    projectId: PROJECT,
    storageBucket: `${PROJECT}.firebasestorage.app`,
  });
  for (const name of ['HOME', 'GOOGLE_APPLICATION_CREDENTIALS', 'VITEST', 'NODE_OPTIONS'])
    expect(environment).not.toHaveProperty(name);
});
