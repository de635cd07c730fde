import type { App } from 'firebase-admin/app';
import type { Firestore } from 'firebase-admin/firestore';
import { lazy } from '../../lib/lazy.ts';

/** The process's firebase-admin app, made on first use. */
export const makeFirebaseApp = (projectId: string): (() => Promise<App>) =>
  lazy(async () => {
    const { getApps, initializeApp } = await import('firebase-admin/app');
    return getApps().find(({ name }) => name === APP_NAME) ?? initializeApp({ projectId }, APP_NAME);
  });

const APP_NAME = 'membership-sync';

/** The process's Firestore client, made on first use: loading it takes longer than everything else together. */
export const makeFirestoreClient = (app: () => Promise<App>): (() => Promise<Firestore>) =>
  lazy(async () => {
    const [{ getFirestore }, made] = await Promise.all([import('firebase-admin/firestore'), app()]);
    return getFirestore(made);
  });
