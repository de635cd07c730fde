import type { TestProject } from 'vitest/node';
import { findOfficialFirestore, startOfficialFirestore } from './official-firestore.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why every test of the run is skipped, or '' where the original is there. */
    officialFirestoreMissing: string;
  }
}

/** One official Firestore emulator a run, or one that runs already and is named in the environment. The tests' processes find it by the variable that `harness.ts` reads. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (process.env['CONFORMANCE_FIRESTORE_HOST']) {
    project.provide('officialFirestoreMissing', '');
    return undefined;
  }
  const found = findOfficialFirestore();
  if ('missing' in found) {
    // The reporter counts what is skipped, but does not print why.
    console.warn(`The suites on the official Firestore emulator are skipped: ${found.missing}.`);
    project.provide('officialFirestoreMissing', found.missing);
    return undefined;
  }
  const { host, stop } = await startOfficialFirestore(found.jar);
  process.env['CONFORMANCE_FIRESTORE_HOST'] = host;
  project.provide('officialFirestoreMissing', '');
  return stop;
}
