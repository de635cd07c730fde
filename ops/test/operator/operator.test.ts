import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeVerifyFirebaseToken } from '../../../functions/src/adapters/auth/verify-tokens.ts';
import { makeAuthorizeAdmin } from '../../../functions/src/http/callers.ts';
import { type LocalAuth, startAuth } from '../../../local/src/auth/start-auth.ts';
import { ROOT } from '../../src/deploy/root.ts';

const PROJECT = 'demo-operators';
const ANNA = 'anna@example.is';

let local: LocalAuth;
let app: ReturnType<typeof initializeApp>;
beforeAll(async () => {
  local = await startAuth({ projectId: PROJECT, port: 0 });
  process.env['FIREBASE_AUTH_EMULATOR_HOST'] = local.emulatorHost;
  app = initializeApp({ projectId: PROJECT }, 'operator-test');
  await getAuth(app).createUser({ uid: 'anna', email: ANNA });
  await getAuth(app).setCustomUserClaims('anna', { roles: ['editor'], branch: 7 });
  await getAuth(app).createUser({ uid: 'boss', email: 'boss@example.is' });
  await getAuth(app).setCustomUserClaims('boss', { roles: ['superuser'] });
});
afterAll(async () => {
  await deleteApp(app);
  delete process.env['FIREBASE_AUTH_EMULATOR_HOST'];
  await local.close();
});

const operator = (...args: string[]) =>
  new Promise<{ code: number; said: string }>((resolve) => {
    const env = { ...process.env, FIREBASE_AUTH_EMULATOR_HOST: local.emulatorHost };
    const file = join(ROOT, 'ops/src/operator/main.ts');
    execFile(process.execPath, [file, ...args, '--project', PROJECT], { env }, (failure, stdout, stderr) =>
      resolve({ code: Number(failure?.code ?? 0), said: stdout + stderr }),
    );
  });
const claimsOfAnna = async () => (await getAuth(app).getUser('anna')).customClaims;

it('gives the role that the functions admit, keeps other claims, lists it, and takes it away', {
  timeout: 180_000,
}, async () => {
  expect(await operator('add', ANNA)).toEqual({ code: 0, said: 'Done: from their next sign-in.\n' });
  expect(await claimsOfAnna()).toEqual({ roles: ['editor', 'admin'], branch: 7 });
  expect((await operator('list')).said).toBe(`${ANNA}\nboss@example.is\n`);

  const authorize = makeAuthorizeAdmin({
    verifyFirebaseToken: makeVerifyFirebaseToken(async () => app),
    verifyGoogleToken: () => Promise.reject(new Error('no service account here')),
    serviceAccounts: [],
    audiences: [],
  });
  const claims = (await claimsOfAnna()) ?? {};
  const token = local.mintIdToken({ uid: 'anna', email: ANNA, claims });
  expect(await authorize(`Bearer ${token}`)).toEqual({ kind: 'person', id: 'anna' });

  expect((await operator('add', ANNA)).said).toContain('already');
  expect((await operator('remove', ANNA)).said).toContain('sessions have ended');
  expect(await claimsOfAnna()).toEqual({ roles: ['editor'], branch: 7 });
  expect((await operator('list')).said).toBe('boss@example.is\n');
});

it.each([
  ['somebody who has no account', ['add', 'nobody@example.is'], 'Authentication, Add user'],
  ['what is no address', ['add', 'nobody'], 'one e-mail address'],
])('refuses %s', { timeout: 60_000 }, async (_what, args, word) => {
  const { code, said } = await operator(...args);
  expect(code).toBe(1);
  expect(said).toContain(word);
});
