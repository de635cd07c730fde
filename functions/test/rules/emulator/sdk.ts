/**
 * What the suite uses of `@firebase/rules-unit-testing` 5 and the `firebase` 12 that it needs beside it. Both are loaded
 * when the suite runs and only then, so that neither has to be installed for the ordinary tests.
 */
export interface RulesUnitTesting {
  initializeTestEnvironment(config: {
    readonly projectId: string;
    readonly firestore: { readonly rules: string };
    readonly storage: { readonly rules: string };
  }): Promise<TestEnvironment>;
  assertSucceeds(answer: Promise<unknown>): Promise<unknown>;
  /** Resolves only for a refusal by the rules; any other failure is thrown. */
  assertFails(answer: Promise<unknown>): Promise<unknown>;
}

export interface TestEnvironment {
  authenticatedContext(uid: string, claims?: { readonly [claim: string]: unknown }): TestContext;
  unauthenticatedContext(): TestContext;
  withSecurityRulesDisabled(seed: (context: TestContext) => Promise<void>): Promise<void>;
  clearFirestore(): Promise<void>;
  clearStorage(): Promise<void>;
  cleanup(): Promise<void>;
}

export interface TestContext {
  firestore(): object;
  storage(): object;
}

export interface FirestoreSdk {
  doc(firestore: object, path: string): object;
  collection(firestore: object, path: string): object;
  getDoc(reference: object): Promise<unknown>;
  getDocs(query: object): Promise<unknown>;
  setDoc(reference: object, data: object): Promise<void>;
  updateDoc(reference: object, data: object): Promise<void>;
  deleteDoc(reference: object): Promise<void>;
  deleteField(): object;
}

export interface StorageSdk {
  ref(storage: object, path: string): object;
  getMetadata(reference: object): Promise<unknown>;
  listAll(reference: object): Promise<unknown>;
  uploadString(reference: object, text: string): PromiseLike<unknown>;
  updateMetadata(reference: object, metadata: object): Promise<unknown>;
  deleteObject(reference: object): Promise<void>;
}

export interface Sdk {
  readonly testing: RulesUnitTesting;
  readonly firestore: FirestoreSdk;
  readonly storage: StorageSdk;
}

/** Loads the packages, or says in one sentence why the suite cannot run here. */
export async function loadSdk(): Promise<Sdk | string> {
  // `emulators:exec` sets it. The local stack does not: it serves Firestore's API, but enforces no rules.
  if (!process.env['FIREBASE_EMULATOR_HUB']) return 'FIREBASE_EMULATOR_HUB names no official emulator';
  const names = ['@firebase/rules-unit-testing', 'firebase/firestore', 'firebase/storage'];
  const loaded = await Promise.allSettled(names.map((name) => import(name)));
  const missing = names.filter((_, place) => loaded[place]?.status === 'rejected');
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const [testing, firestore, storage] = loaded.map((result) =>
    result.status === 'fulfilled' ? result.value : undefined,
  );
  return {
    testing: testing as RulesUnitTesting,
    firestore: firestore as FirestoreSdk,
    storage: storage as StorageSdk,
  };
}
