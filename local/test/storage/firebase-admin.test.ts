import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getStorage } from 'firebase-admin/storage';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeScratch, type Scratch } from './support/scratch.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await scratch.clean();
});

test.each([
  { variable: 'STORAGE_EMULATOR_HOST', scheme: true },
  { variable: 'FIREBASE_STORAGE_EMULATOR_HOST', scheme: false },
])('firebase-admin finds the server through $variable', async ({ variable, scheme }) => {
  const server = await scratch.start();
  // firebase-admin sets the first from the second, so both are put back.
  vi.stubEnv('STORAGE_EMULATOR_HOST', undefined);
  vi.stubEnv(variable, scheme ? server.url : new URL(server.url).host);
  const app = initializeApp(
    { projectId: 'demo-members', storageBucket: 'demo-members.appspot.com' },
    variable,
  );
  try {
    const file = getStorage(app).bucket().file('list.txt');
    await file.save('one line\n', { resumable: false, metadata: { metadata: { memberCount: '1' } } });
    expect((await file.download())[0].toString()).toBe('one line\n');
    expect((await file.getMetadata())[0].metadata).toEqual({ memberCount: '1' });
    const [metadata] = await getStorage(app).bucket().getMetadata();
    expect(metadata.versioning).toEqual({ enabled: true });
  } finally {
    await deleteApp(app);
  }
});
