import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMemberReader } from '../../../src/adapters/django/read-members.ts';
import { makeKennitalas } from '../../support/kennitalas.ts';
import * as answers from './support/answers.ts';
import { failureOf, openClient } from './support/client.ts';
import { type RegistryServer, startRegistryServer } from './support/registry-server.ts';

const [kennitala] = makeKennitalas(1);
if (kennitala === undefined) throw new Error('No kennitala was made.');

let server: RegistryServer;
beforeAll(async () => {
  server = await startRegistryServer();
});
afterAll(async () => {
  await server.close();
});

const read = async (base = server.origin) => {
  const http = openClient(base, { retry: { attempts: 2, baseDelayMs: 2, maxDelayMs: 2 } });
  try {
    return await makeMemberReader(http).readMember(kennitala, { signal: new AbortController().signal });
  } finally {
    await http.close();
  }
};

const json = (status: number, value: unknown) =>
  answers.status(status, { 'content-type': 'application/json' }, JSON.stringify(value));

describe('reading one member', () => {
  it('answers what the registry sent, as it stands', async () => {
    const member = { ssn: kennitala, name: 'Gervimaður Færeyjar', unknown: [1] };
    server.script(answers.json(member));
    expect(await read(`${server.origin}/felagar`)).toEqual(member);
    expect(server.seen.map(({ url }) => url)).toEqual([`/felagar/api/sync/member/${kennitala}/`]);
  });

  it('answers null when the API itself says that there is none', async () => {
    server.script(json(404, { error: 'Member not found' }));
    expect(await read()).toBeNull();
    expect(server.seen).toHaveLength(1);
  });

  it.each([
    ['a web page', answers.status(404)],
    ['an empty body', answers.status(404, {}, '')],
    ['the framework', json(404, { detail: 'Not found.' })],
    ['JSON that is no object', json(404, 'Member not found')],
    ['an error that is no text', json(404, { error: null })],
    ['a gateway', json(404, { error: 'Not Found' })],
    ['a gateway with its own keys', json(404, { timestamp: 0, status: 404, error: 'Not Found', path: '/' })],
    ['a router', json(404, { error: '404 page not found' })],
    ['an error with something beside it', json(404, { error: 'Member not found', status: 404 })],
    ['a part of the API’s own answer', answers.status(404, {}, '{"error": "Member n')],
    ['410', json(410, { error: 'Member not found' })],
  ])('does not take a 404 for a deletion: %s', async (_, answer) => {
    server.script(answer);
    expect(await failureOf(read())).toMatchObject({ code: 'registry_rejected' });
  });

  it.each([
    ['null', answers.json(null)],
    ['a list', answers.json([])],
    ['HTML', answers.html()],
    ['nothing', answers.body('')],
  ])('does not take an answer without a member for a deletion: %s', async (_, answer) => {
    server.script(answer);
    expect(await failureOf(read())).toMatchObject({ code: 'registry_invalid_response' });
  });

  it('names no member in its errors, and tries again what may pass', async () => {
    server.script(answers.status(503), answers.status(503));
    const error = await failureOf(read());
    expect(error).toMatchObject({ code: 'registry_unavailable', details: { attempts: 2 } });
    expect(error.message).toContain('GET /api/sync/member/:ssn/');
  });
});
