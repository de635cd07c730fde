import { type App, deleteApp, initializeApp } from 'firebase-admin/app';
import { type Auth, getAuth } from 'firebase-admin/auth';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AuthApiError } from '../../src/auth/api-error.ts';
import { type LocalAuth, startAuth } from '../../src/auth/start-auth.ts';

const PROJECT = 'demo-auth';
let local: LocalAuth;
let app: App;
let admin: Auth;

beforeAll(async () => {
  local = await startAuth({ projectId: PROJECT, port: 0 });
  vi.stubEnv('FIREBASE_AUTH_EMULATOR_HOST', local.emulatorHost);
  app = initializeApp({ projectId: PROJECT }, 'id-tokens');
  admin = getAuth(app);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await deleteApp(app);
  await local.close();
});

describe('an ID token', () => {
  it('is verified by firebase-admin, with its claims', async () => {
    const token = local.mintIdToken({
      uid: 'operator',
      email: 'Op@example.is',
      claims: { roles: ['admin'] },
    });
    expect(await admin.verifyIdToken(token)).toMatchObject({
      uid: 'operator',
      email: 'op@example.is',
      email_verified: true,
      roles: ['admin'],
      aud: PROJECT,
      firebase: { sign_in_provider: 'custom' },
    });
  });

  it('is refused when it has expired', async () => {
    const token = local.mintIdToken({ uid: 'late', lifetimeSeconds: -1 });
    await expect(admin.verifyIdToken(token)).rejects.toMatchObject({ code: 'auth/id-token-expired' });
  });

  it('is refused when it is of another project', async () => {
    const other = await startAuth({ projectId: 'demo-other', port: 0 });
    const token = other.mintIdToken({ uid: 'operator' });
    await other.close();
    await expect(admin.verifyIdToken(token)).rejects.toMatchObject({
      code: 'auth/argument-error',
      message: expect.stringContaining('"aud"'),
    });
  });

  it('is refused when its account is disabled, deleted or unknown', async () => {
    const token = local.mintIdToken({ uid: 'leaver' });
    await admin.updateUser('leaver', { disabled: true });
    await expect(admin.verifyIdToken(token)).rejects.toMatchObject({ code: 'auth/user-disabled' });
    await admin.updateUser('leaver', { disabled: false });
    await admin.verifyIdToken(token);
    await admin.deleteUser('leaver');
    await expect(admin.verifyIdToken(token)).rejects.toMatchObject({ code: 'auth/user-not-found' });
  });

  it('is refused when it was issued before a revocation', async () => {
    const token = local.mintIdToken({ uid: 'revoked' });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_000 });
    await admin.revokeRefreshTokens('revoked');
    vi.useRealTimers();
    await expect(admin.verifyIdToken(token)).rejects.toMatchObject({ code: 'auth/id-token-revoked' });
  });

  it('is refused when it is no token', async () => {
    await expect(admin.verifyIdToken('nonsense')).rejects.toMatchObject({ code: 'auth/argument-error' });
  });

  it('is not minted for a disabled account', async () => {
    await admin.createUser({ uid: 'blocked', disabled: true });
    expect(() => local.mintIdToken({ uid: 'blocked' })).toThrow(AuthApiError);
  });

  it.each(['aud', 'sub', 'firebase'])('is not minted with the reserved claim %s', async (name) => {
    expect(() => local.mintIdToken({ uid: 'sly', claims: { [name]: 'x' } })).toThrow(/FORBIDDEN_CLAIM/);
    // Nothing of the refused call is kept.
    await expect(admin.getUser('sly')).rejects.toMatchObject({ code: 'auth/user-not-found' });
  });
});

describe('firebase-admin', () => {
  it('makes, reads, changes and lists accounts', async () => {
    const made = await admin.createUser({
      email: 'Made@example.is',
      displayName: 'Made',
      password: 'correct horse',
    });
    expect(made).toMatchObject({
      email: 'made@example.is',
      emailVerified: false,
      displayName: 'Made',
      disabled: false,
    });
    await admin.setCustomUserClaims(made.uid, { roles: ['viewer'] });
    expect((await admin.getUserByEmail('made@example.is')).customClaims).toEqual({ roles: ['viewer'] });
    expect((await admin.listUsers()).users.map((user) => user.uid)).toContain(made.uid);
    await expect(admin.createUser({ email: 'made@example.is' })).rejects.toMatchObject({
      code: 'auth/email-already-exists',
    });
    expect(() => local.mintIdToken({ uid: 'somebody-else', email: 'made@example.is' })).toThrow(
      /EMAIL_EXISTS/,
    );
    await expect(admin.createUser({ uid: made.uid })).rejects.toMatchObject({
      code: 'auth/uid-already-exists',
    });
  });

  it('is told of an account that does not exist', async () => {
    await expect(admin.getUser('nobody')).rejects.toMatchObject({ code: 'auth/user-not-found' });
    await expect(admin.setCustomUserClaims('nobody', {})).rejects.toMatchObject({
      code: 'auth/user-not-found',
    });
  });

  it('is refused what the endpoint would otherwise lose', async () => {
    await expect(admin.createUser({ phoneNumber: '+3545551234' })).rejects.toThrow(/NOT_IMPLEMENTED/);
    await expect(admin.generatePasswordResetLink('made@example.is')).rejects.toThrow(/NOT_IMPLEMENTED/);
  });
});

describe('a sign-in of a browser', () => {
  const call = async (path: string, body: object) => {
    const url = `${local.url}/identitytoolkit.googleapis.com/v1/${path}?key=any`;
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const refresh = (token: unknown) =>
    fetch(`${local.url}/securetoken.googleapis.com/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: String(token) }),
    });

  it('by password gives a token that firebase-admin verifies', async () => {
    await admin.createUser({ uid: 'typist', email: 'typist@example.is', password: 'correct horse' });
    const answer = await call('accounts:signInWithPassword', {
      email: 'typist@example.is',
      password: 'correct horse',
    });
    expect(answer.body).toMatchObject({ localId: 'typist', expiresIn: '3600' });
    expect(await admin.verifyIdToken(String(answer.body['idToken']))).toMatchObject({ uid: 'typist' });
  });

  it.each([
    ['typist@example.is', 'wrong'],
    ['nobody@example.is', 'wrong'],
  ])('as %s with a wrong password is refused with one answer for all', async (email, password) => {
    const answer = await call('accounts:signInWithPassword', { email, password });
    expect(answer).toMatchObject({ status: 400, body: { error: { message: 'INVALID_LOGIN_CREDENTIALS' } } });
  });

  it('by a custom token carries the token’s claims, also after a refresh', async () => {
    const custom = await admin.createCustomToken('member', { region: 'north' });
    const { body } = await call('accounts:signInWithCustomToken', { token: custom, returnSecureToken: true });
    expect(await admin.verifyIdToken(String(body['idToken']))).toMatchObject({
      uid: 'member',
      region: 'north',
    });
    const refreshed = (await (await refresh(body['refreshToken'])).json()) as Record<string, unknown>;
    expect(await admin.verifyIdToken(String(refreshed['id_token']))).toMatchObject({
      region: 'north',
    });
  });

  it('by a new account gives nobody a role, and is no longer refreshed when the account is disabled', async () => {
    const sent = {
      email: 'new@example.is',
      password: 'correct horse',
      customAttributes: '{"roles":["admin"]}',
    };
    const { body } = await call('accounts:signUp', sent);
    expect((await admin.getUser(String(body['localId']))).customClaims).toEqual({});
    await admin.updateUser(String(body['localId']), { disabled: true });
    const response = await refresh(body['refreshToken']);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: 'USER_DISABLED' } });
  });

  it('is no longer refreshed after a revocation', async () => {
    const custom = await admin.createCustomToken('ousted');
    const { body } = await call('accounts:signInWithCustomToken', { token: custom });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_000 });
    await admin.revokeRefreshTokens('ousted');
    vi.useRealTimers();
    expect(await (await refresh(body['refreshToken'])).json()).toMatchObject({
      error: { message: 'TOKEN_EXPIRED' },
    });
  });

  it('by an unknown refresh token, a bad custom token or a call that is not spoken is refused', async () => {
    expect((await refresh('made-up')).status).toBe(400);
    expect((await call('accounts:signInWithCustomToken', { token: 'a.b.c' })).status).toBe(400);
    const unspoken = await call('accounts:signInWithPhoneNumber', {});
    expect(unspoken).toMatchObject({ status: 501 });
    expect(JSON.stringify(unspoken.body)).toContain('accounts:signInWithPhoneNumber');
  });

  it('shows its own account for its ID token', async () => {
    const idToken = local.mintIdToken({ uid: 'self', claims: { roles: ['viewer'] } });
    const { body } = await call('accounts:lookup', { idToken });
    expect(body).toMatchObject({ users: [{ localId: 'self', customAttributes: '{"roles":["viewer"]}' }] });
  });
});
