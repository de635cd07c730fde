import { initializeApp } from 'firebase/app';
import {
  browserSessionPersistence,
  initializeAuth,
  signInWithEmailAndPassword,
  signOut,
  type User,
} from 'firebase/auth';
import type { HostingConfig, Session, SignIn } from './session.ts';

/**
 * Signing in with Firebase Authentication. Without its pop-up resolver: that one loads scripts of another origin, which
 * the Content-Security-Policy refuses. The session ends with the browser's tab, since it is an administrator's.
 */
export const makeFirebaseSignIn = (config: HostingConfig): SignIn => {
  const auth = initializeAuth(initializeApp({ ...config }), { persistence: browserSessionPersistence });
  const open = (user: User): Session => ({
    name: user.displayName ?? user.email ?? user.uid,
    idToken: () => user.getIdToken(),
    signOut: () => signOut(auth),
  });
  return {
    kind: 'firebase',
    projectId: config.projectId,
    restore: async () => {
      await auth.authStateReady();
      return auth.currentUser === null ? null : open(auth.currentUser);
    },
    signIn: async (email, password) => open((await signInWithEmailAndPassword(auth, email, password)).user),
  };
};
