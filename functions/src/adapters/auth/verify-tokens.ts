import type { App } from 'firebase-admin/app';
import type { OAuth2Client, OAuth2ClientOptions } from 'google-auth-library';
import type { VerifyFirebaseToken, VerifyGoogleToken } from '../../http/callers.ts';
import { lazy } from '../../lib/concurrency.ts';

/** Firebase's own verification, with the look-up that refuses disabled users and revoked sessions. */
export const makeVerifyFirebaseToken = (app: () => Promise<App>): VerifyFirebaseToken => {
  const auth = lazy(async () => {
    const [{ getAuth }, made] = await Promise.all([import('firebase-admin/auth'), app()]);
    return getAuth(made);
  });
  return async (token) => (await auth()).verifyIdToken(token, true);
};

/** Google's own verification. `options` lets a test point at other keys; production gives none. */
export const makeVerifyGoogleToken = (options: OAuth2ClientOptions = {}): VerifyGoogleToken => {
  const client = lazy(async (): Promise<OAuth2Client> => {
    const { OAuth2Client: Client } = await import('google-auth-library');
    return new Client(options);
  });
  return async (idToken, audience) => {
    const ticket = await (await client()).verifyIdToken({ idToken, audience });
    return { ...ticket.getPayload() };
  };
};
