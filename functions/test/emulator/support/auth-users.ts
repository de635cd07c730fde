import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';

/**
 * Signs a new user up through the Auth emulator's REST API, gives them claims as an administrator would, and signs
 * them in: the ID token, as a browser has it.
 */
export const signInWithClaims = async (
  authHost: string,
  email: string,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> => {
  const password = 'only for the emulator';
  const call = async (method: string): Promise<{ localId: string; idToken: string }> => {
    const answer = await fetch(
      `http://${authHost}/identitytoolkit.googleapis.com/v1/accounts:${method}?key=any`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password, returnSecureToken: true }),
      },
    );
    if (!answer.ok) throw new Error(`accounts:${method} answered ${answer.status}`);
    return (await answer.json()) as { localId: string; idToken: string };
  };
  const { localId } = await call('signUp');
  // firebase-admin takes the emulator's address from the environment only.
  process.env['FIREBASE_AUTH_EMULATOR_HOST'] = authHost;
  const app = initializeApp({ projectId: 'demo-ekklesia' }, email);
  await getAuth(app).setCustomUserClaims(localId, claims);
  await deleteApp(app);
  return (await call('signInWithPassword')).idToken;
};
