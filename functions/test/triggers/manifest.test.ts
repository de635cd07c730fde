import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { PARAMS } from '../../src/params.ts';
import { ROSTER_LEASE_MS, ROSTER_RUN_LIMIT_MS } from '../../src/wiring/roster.ts';

interface Endpoint {
  readonly secretEnvironmentVariables?: readonly unknown[];
  readonly ingressSettings?: unknown;
  readonly timeoutSeconds?: number;
}
interface Stack {
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly params: readonly { readonly name: string; readonly default?: unknown }[];
}

const FUNCTIONS_FOLDER = fileURLToPath(new URL('../..', import.meta.url));
const SDK_COMMAND = fileURLToPath(
  new URL('../../../node_modules/firebase-functions/lib/bin/firebase-functions.js', import.meta.url),
);

/** What `firebase deploy` reads: the SDK's own command, over the built module. */
const readManifest = async (): Promise<Stack> => {
  const folder = await mkdtemp(join(tmpdir(), 'manifest-'));
  try {
    const output = join(folder, 'functions.json');
    await promisify(execFile)(process.execPath, [SDK_COMMAND], {
      cwd: FUNCTIONS_FOLDER,
      env: { ...process.env, GCLOUD_PROJECT: 'demo-ekklesia', FUNCTIONS_MANIFEST_OUTPUT_PATH: output },
    });
    return JSON.parse(await readFile(output, 'utf8'));
  } finally {
    await rm(folder, { recursive: true });
  }
};

describe('the deployed manifest', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await readManifest();
  });

  it('holds these functions and no other', () => {
    expect(Object.keys(stack.endpoints).sort()).toEqual(['runMemberListSync', 'syncMemberList']);
  });

  it('runs the weekly sync on Monday at 03:00 in Reykjavik, with retries and one instance', () => {
    expect(stack.endpoints['syncMemberList']).toMatchObject({
      platform: 'gcfv2',
      region: ['europe-west2'],
      availableMemoryMb: 256,
      timeoutSeconds: 120,
      maxInstances: 1,
      concurrency: 1,
      scheduleTrigger: {
        schedule: '0 3 * * 1',
        timeZone: 'Atlantic/Reykjavik',
        retryConfig: { retryCount: 5, minBackoffSeconds: 60, maxBackoffSeconds: 3_600, maxDoublings: 5 },
      },
    });
  });

  it('lets everybody reach the run on demand, which checks its callers itself', () => {
    expect(stack.endpoints['runMemberListSync']).toMatchObject({
      region: ['europe-west2'],
      availableMemoryMb: 256,
      timeoutSeconds: 120,
      maxInstances: 2,
      httpsTrigger: { invoker: ['public'] },
    });
  });

  it('binds no secret: tokens are read at run time, so that rotating one needs no deploy', () => {
    for (const endpoint of Object.values(stack.endpoints)) {
      expect(endpoint.secretEnvironmentVariables ?? []).toEqual([]);
      expect(endpoint.ingressSettings).toBeNull();
    }
  });

  it('asks for its settings', () => {
    expect(stack.params.map(({ name }) => name)).toEqual(PARAMS.map(({ name }) => name));
    expect(stack.params.find(({ name }) => name === 'DJANGO_BASE_URL')).not.toHaveProperty('default');
  });

  it('closes a run before the function is stopped, and keeps its lease longer than the function lives', () => {
    const limitMs = Number(stack.endpoints['syncMemberList']?.timeoutSeconds) * 1_000;
    expect(ROSTER_RUN_LIMIT_MS).toBeLessThan(limitMs);
    expect(ROSTER_LEASE_MS).toBeGreaterThan(limitMs);
  });
});
