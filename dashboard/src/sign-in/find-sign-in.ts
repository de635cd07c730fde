import type { HostingConfig, Session, SignIn } from './session.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/** How to sign in here: Firebase Authentication, loaded only when it is used, or the local stack's own. */
export const findSignIn = async (): Promise<SignIn> => {
  const response = await fetch('/__/firebase/init.json');
  if (!response.ok) throw new Error(`init.json: ${response.status}`);
  const config = (await response.json()) as HostingConfig;
  if (config.developmentTokens !== undefined && LOOPBACK.includes(location.hostname)) {
    return makeDevelopmentSignIn(config.projectId, config.developmentTokens);
  }
  const { makeFirebaseSignIn } = await import('./firebase.ts');
  return makeFirebaseSignIn(config);
};

const KEPT = 'development-operator';
/** Tokens of the local stack live for an hour; a new one is cheap. */
const TOKEN_AGE_MS = 30 * 60_000;

/** Signing in to the local stack: whoever reaches it may become anybody, so no password is asked for. */
const makeDevelopmentSignIn = (projectId: string, tokensUrl: string): SignIn => {
  const open = async (email: string): Promise<Session> => {
    const mint = async (): Promise<string> => {
      const response = await fetch(tokensUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uid: 'development-operator', email, claims: { roles: ['admin'] } }),
      });
      if (!response.ok) throw new Error(`development sign-in: ${response.status}`);
      return ((await response.json()) as { idToken: string }).idToken;
    };
    let token = await mint();
    let mintedAt = Date.now();
    sessionStorage.setItem(KEPT, email);
    return {
      name: email,
      idToken: async () => {
        if (Date.now() - mintedAt > TOKEN_AGE_MS) {
          token = await mint();
          mintedAt = Date.now();
        }
        return token;
      },
      signOut: async () => sessionStorage.removeItem(KEPT),
    };
  };
  return {
    kind: 'development',
    projectId,
    restore: async () => {
      const email = sessionStorage.getItem(KEPT);
      return email === null ? null : open(email);
    },
    signIn: (email) => open(email),
  };
};
