import { type App, deleteApp, initializeApp } from 'firebase-admin/app';
import { type Auth, getAuth } from 'firebase-admin/auth';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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

  it('is refused when nobody knows its account', async () => {
    const other = await startAuth({ projectId: PROJECT, port: 0 });
    const token = other.mintIdToken({ uid: 'stranger' });
    await other.close();
    await expect(admin.verifyIdToken(token, true)).rejects.toMatchObject({ code: 'auth/user-not-found' });
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
});

describe('firebase-admin', () => {
  it('makes, reads, changes and lists accounts', async () => {
    const made = await admin.createUser({ email: 'Made@example.is' });
    expect(made).toMatchObject({ email: 'made@example.is', disabled: false });
    await admin.setCustomUserClaims(made.uid, { roles: ['viewer'] });
    expect((await admin.getUserByEmail('made@example.is')).customClaims).toEqual({ roles: ['viewer'] });
    expect((await admin.listUsers()).users.map((user) => user.uid)).toContain(made.uid);
    await expect(admin.createUser({ email: 'made@example.is' })).rejects.toMatchObject({
      code: 'auth/email-already-exists',
    });
    expect(() => local.mintIdToken({ uid: 'somebody-else', email: 'made@example.is' })).toThrow(
      /EMAIL_EXISTS/,
    );
  });

  it('is told of an account that does not exist', async () => {
    await expect(admin.getUser('nobody')).rejects.toMatchObject({ code: 'auth/user-not-found' });
    await expect(admin.setCustomUserClaims('nobody', {})).rejects.toMatchObject({
      code: 'auth/user-not-found',
    });
  });

  it('is refused what the endpoint would otherwise lose', async () => {
    await expect(admin.createUser({ phoneNumber: '+3545551234' })).rejects.toThrow(/NOT_IMPLEMENTED/);
    await expect(admin.updateUser('operator', { disabled: true })).rejects.toThrow(/NOT_IMPLEMENTED/);
    await expect(admin.deleteUser('operator')).rejects.toThrow(/NOT_IMPLEMENTED/);
    await expect(admin.generatePasswordResetLink('made@example.is')).rejects.toThrow(/NOT_IMPLEMENTED/);
  });
});
