import { makeAccounts } from './accounts.ts';
import { type MintOptions, makeAuthApp } from './app.ts';
import { listen } from './listen.ts';
import { makeSessions } from './sessions.ts';

/** The official Auth emulator's port. */
const DEFAULT_PORT = 9099;

export interface StartAuthOptions {
  readonly projectId: string;
  readonly host?: string;
  readonly port?: number;
}

export interface LocalAuth {
  readonly url: string;
  readonly port: number;
  /** The value of FIREBASE_AUTH_EMULATOR_HOST. */
  readonly emulatorHost: string;
  /**
   * Signs a person in who need not exist before, and gives the ID token. The account keeps the claims, so that
   * firebase-admin's `getUser` shows what its `verifyIdToken` accepts.
   * @throws AuthApiError 400 for a disabled account or a claim that Firebase reserves.
   */
  mintIdToken(options: MintOptions): string;
  close(): Promise<void>;
}

/**
 * A development substitute for Firebase Authentication: unsigned tokens, accounts in memory, open to this machine only.
 * It speaks what firebase-admin's `verifyIdToken` and account management need, and the sign-in of a browser's SDK.
 */
export async function startAuth(options: StartAuthOptions): Promise<LocalAuth> {
  const { projectId, host = '127.0.0.1', port = DEFAULT_PORT } = options;
  const accounts = makeAccounts();
  const sessions = makeSessions(projectId, accounts);

  function mint({ uid, email, claims, lifetimeSeconds }: MintOptions) {
    const account = accounts.save(uid, {
      ...(email === undefined ? {} : { email, emailVerified: true }),
      ...(claims === undefined ? {} : { claims }),
    });
    return sessions.signIn(account, {
      provider: 'custom',
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
    });
  }

  const server = await listen(makeAuthApp({ projectId, accounts, sessions, mint }), host, port);
  return {
    url: server.url,
    port: server.port,
    emulatorHost: `${host}:${server.port}`,
    mintIdToken: (minted) => mint(minted).idToken,
    close: server.close,
  };
}
