import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiStack, KEYS, SERVICE, startApiStack, tokenOf } from '../support/api-stack.ts';
import { makeKennitalas } from '../support/kennitalas.ts';

let stack: ApiStack;
beforeEach(async () => {
  stack = await startApiStack({ members: 40 });
});
afterEach(async () => {
  await stack.close();
});

const post = (path: string, body?: unknown, token = stack.key) =>
  stack.call(path, { method: 'POST', token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

describe('who may call', () => {
  const ADMIN = ['/sync/status', '/sync/logs', '/health?deep=1'];
  it.each(ADMIN)('%s answers 401 to nobody, and to keys that are not in force', async (path) => {
    for (const token of [undefined, 'ab'.repeat(32), 'short', 'a.b', '']) {
      const answer = await stack.call(path, token === undefined ? {} : { token });
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it.each(KEYS)('takes every key in force: %s', async (token) => {
    expect((await stack.call('/sync/status', { token })).status).toBe(200);
  });

  it('takes an administrator’s ID token, and no other person’s', async () => {
    const admin = tokenOf({ valid: true, role: 'admin', uid: 'u1' });
    expect((await stack.call('/sync/status', { token: admin })).status).toBe(200);
    const member = tokenOf({ valid: true, role: 'member', uid: 'u2' });
    expect((await stack.call('/sync/status', { token: member })).status).toBe(403);
  });

  it('takes the services of the allow-list for members, with a token made for us', async () => {
    const claims = { aud: 'https://api.example.is', email: SERVICE, email_verified: true };
    const ask = (token: string) => post('/members/eligibility', { kennitalas: makeKennitalas(1) }, token);
    expect((await ask(tokenOf(claims))).status).toBe(200);
    expect((await ask(tokenOf({ ...claims, email: 'other@x.iam.gserviceaccount.com' }))).status).toBe(403);
    expect((await ask(tokenOf({ ...claims, email_verified: false }))).status).toBe(403);
    expect((await ask(tokenOf({ ...claims, aud: 'https://elsewhere.is' }))).status).toBe(401);
    expect((await ask(stack.key)).status).toBe(401);
  });

  it('reads no body of a caller who has not proved who it is', async () => {
    const answer = await stack.call('/sync', { method: 'POST', body: 'not json' });
    expect(answer.status).toBe(401);
  });
});
