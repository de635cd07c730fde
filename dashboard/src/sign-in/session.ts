/** Somebody who has signed in. Whether they may do anything, the API decides. */
export interface Session {
  readonly name: string;
  /** A fresh ID token: the SDK renews it before it expires. */
  idToken(): Promise<string>;
  signOut(): Promise<void>;
}

export interface SignIn {
  readonly kind: 'firebase' | 'development';
  readonly projectId: string;
  /** The session of before a reload, or null. */
  restore(): Promise<Session | null>;
  signIn(email: string, password: string): Promise<Session>;
}

/** What Firebase Hosting (or the local stack in its place) says about the project that serves this page. */
export interface HostingConfig {
  readonly projectId: string;
  readonly apiKey: string;
  readonly authDomain?: string;
  /** Set by the local stack alone: where it gives out development tokens. */
  readonly developmentTokens?: string;
}
