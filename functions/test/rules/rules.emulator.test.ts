import { afterAll, beforeAll, describe, test } from 'vitest';
import { CASES } from './cases.ts';
import { SOURCES } from './decide-case.ts';
import { runCase } from './emulator/run-case.ts';
import { loadSdk, type TestEnvironment } from './emulator/sdk.ts';

const sdk = await loadSdk();
const isRunnable = typeof sdk !== 'string';

// The reporter counts what is skipped, but does not print why.
if (!isRunnable) console.warn(`${CASES.length} cases of the rules are skipped: ${sdk}`);

describe.skipIf(!isRunnable)('the rules on the official emulator', () => {
  let environment: TestEnvironment | undefined;

  beforeAll(async () => {
    if (!isRunnable) return;
    environment = await sdk.testing.initializeTestEnvironment({
      projectId: 'demo-ekklesia',
      firestore: { rules: SOURCES.firestore },
      storage: { rules: SOURCES.storage },
    });
  });

  afterAll(async () => {
    await environment?.cleanup();
  });

  test.each(CASES)('$expect: $title', async (row) => {
    if (!isRunnable || !environment) throw new Error('the emulator was not prepared');
    await runCase(sdk, environment, row);
  });
});
