import type { Session, SignIn } from './session.ts';

const KEPT = 'development-operator';
/** Tokens of the local stack live for an hour; a new one is cheap. */
const TOKEN_AGE_MS = 30 * 60_000;

/** Signing in to the local stack: whoever reaches it may become anybody, so no password is asked for. */
export const makeDevelopmentSignIn = (projectId: string, tokensUrl: string): SignIn => {
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
