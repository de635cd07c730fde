import { deleteApp, initializeApp } from 'firebase-admin/app';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAuth, startAuth } from '../../../local/src/auth/start-auth.ts';
import { makeVerifyFirebaseToken, makeVerifyGoogleToken } from '../../src/adapters/auth/verify-tokens.ts';
import { type Authorize, makeAuthorizeAdmin, makeRateLimit } from '../../src/http/callers.ts';
import { type ServiceTokens, startServiceTokens } from '../support/service-tokens.ts';

const AUDIENCE = 'https://europe-west2-demo-ekklesia.cloudfunctions.net/runMemberListSync';
const SCHEDULER = 'scheduler@demo-ekklesia.iam.gserviceaccount.com';

let auth: LocalAuth;
let google: ServiceTokens;
let authorize: Authorize;
const app = initializeApp({ projectId: 'demo-ekklesia' }, 'authorize-admin');

beforeAll(async () => {
  auth = await startAuth({ projectId: 'demo-ekklesia', port: 0 });
  google = await startServiceTokens();
  process.env['FIREBASE_AUTH_EMULATOR_HOST'] = auth.emulatorHost;
  authorize = makeAuthorizeAdmin({
    verifyFirebaseToken: makeVerifyFirebaseToken(async () => app),
    verifyGoogleToken: makeVerifyGoogleToken({ endpoints: google.endpoints }),
    serviceAccounts: [SCHEDULER],
    audiences: [AUDIENCE],
  });
});
afterAll(async () => {
  delete process.env['FIREBASE_AUTH_EMULATOR_HOST'];
  await deleteApp(app);
  await Promise.all([auth.close(), google.close()]);
});

const bearer = (token: string) => authorize(`Bearer ${token}`);
const person = (claims: Record<string, unknown>, uid = 'someone') => auth.mintIdToken({ uid, claims });
const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

describe('a person', () => {
  it.each([['admin'], ['superuser']])('with the role %s is admitted', async (role) => {
    expect(await bearer(person({ roles: [role, 'editor'] }, `uid-${role}`))).toEqual({
      kind: 'person',
      id: `uid-${role}`,
    });
  });

  it.each([
    ['no roles', {}],
    ['another role', { roles: ['editor'] }],
    ['a text that holds the role', { roles: 'admin' }],
    ['a map with the role for a key', { roles: { admin: true } }],
    ['a list in a list', { roles: [['admin']] }],
    ['the role in another claim', { role: 'admin', admin: true }],
  ])('with %s is forbidden', async (_what, claims) => {
    await expect(bearer(person(claims))).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('with an expired token is not authenticated', async () => {
    const token = auth.mintIdToken({ uid: 'late', claims: { roles: ['admin'] }, lifetimeSeconds: -10 });
    await expect(bearer(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a service account', () => {
  const token = (given: { email?: string; audience?: string } = {}) =>
    google.mintServiceToken({ email: SCHEDULER, audience: AUDIENCE, ...given });

  it('of the allow-list, with a token made for us, is admitted', async () => {
    expect(await bearer(await token())).toEqual({ kind: 'service-account', id: SCHEDULER });
  });

  it('that is not in the list is forbidden', async () => {
    await expect(bearer(await token({ email: 'other@evil.iam.gserviceaccount.com' }))).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('with a token made for another service is not authenticated', async () => {
    await expect(bearer(await token({ audience: 'https://elsewhere.example.is' }))).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('with a token that nobody signed is not authenticated', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: 'https://accounts.google.com',
      aud: AUDIENCE,
      email: SCHEDULER,
      email_verified: true,
      iat: now,
      exp: now + 600,
      sub: '1',
    };
    const forged = `${encoded({ alg: 'none' })}.${encoded(claims)}.`;
    await expect(bearer(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
    const [header, payload] = (await token()).split('.');
    await expect(bearer(`${header}.${payload}.AAAA`)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('anybody else', () => {
  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['a bearer that is no token', 'Bearer abc'],
    ['a bearer with two words', 'Bearer a b'],
    ['a payload that is no JSON', 'Bearer a.b.c'],
    ['a payload without issuer', `Bearer a.${Buffer.from('{}').toString('base64url')}.c`],
  ])('with %s is not authenticated', async (_what, header) => {
    await expect(authorize(header)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a limit of requests', () => {
  it('holds for each caller, refills evenly, and says how long to wait', () => {
    let now = new Date('2026-11-20T10:00:00Z');
    const limit = makeRateLimit(2, () => now);
    limit('one');
    limit('one');
    limit('other');
    expect(() => limit('one')).toThrow('Wait 30 s.');
    now = new Date(now.getTime() + 29_999);
    expect(() => limit('one')).toThrow(expect.objectContaining({ code: 'rate_limited' }));
    now = new Date(now.getTime() + 1);
    limit('one');
    expect(() => limit('one')).toThrow('Wait 30 s.');
  });

  it('remembers those who came last, however many have come', () => {
    const limit = makeRateLimit(1, () => new Date('2026-11-20T10:00:00Z'));
    for (let n = 0; n <= 10_000; n += 1) limit(`caller ${n}`);
    for (const n of [1, 10_000]) expect(() => limit(`caller ${n}`)).toThrow('At most 1 requests a minute.');
    limit('caller 0');
  });
});
