import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { PARAMS } from '../../src/settings.ts';
import { RECONCILE_LEASE_MS, RECONCILE_RUN_LIMIT_MS } from '../../src/wiring/reconcile.ts';
import { REGISTER_LEASE_MS, REGISTER_RUN_LIMIT_MS } from '../../src/wiring/register.ts';
import { ROSTER_LEASE_MS, ROSTER_RUN_LIMIT_MS } from '../../src/wiring/roster.ts';

interface Endpoint {
  readonly secretEnvironmentVariables?: readonly unknown[];
  readonly ingressSettings?: unknown;
  readonly timeoutSeconds?: number;
  readonly eventTrigger?: { readonly retry: boolean };
}
interface Stack {
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly params: readonly { readonly name: string; readonly default?: unknown }[];
}

const schedule = (cron: string) => ({
  maxInstances: 1,
  scheduleTrigger: { schedule: cron, timeZone: 'Atlantic/Reykjavik' },
});
const open = { httpsTrigger: { invoker: ['public'] } };
const small = { availableMemoryMb: 256 };

/** What is deployed: memory, time limit in seconds, trigger, and who may call. */
const DEPLOYED: Record<string, object> = {
  syncMemberList: {
    ...small,
    timeoutSeconds: 120,
    concurrency: 1,
    maxInstances: 1,
    scheduleTrigger: {
      schedule: '0 3 * * 1',
      timeZone: 'Atlantic/Reykjavik',
      retryConfig: { retryCount: 5, minBackoffSeconds: 60, maxBackoffSeconds: 3_600, maxDoublings: 5 },
    },
  },
  runMemberListSync: { ...small, ...open, timeoutSeconds: 120, maxInstances: 2 },
  refreshRoster: {
    ...small,
    timeoutSeconds: 120,
    maxInstances: 1,
    eventTrigger: { eventFilterPathPatterns: { document: 'roster_refreshes/{window}' } },
  },
  followHints: {
    ...small,
    timeoutSeconds: 540,
    concurrency: 80,
    maxInstances: 2,
    eventTrigger: { eventFilterPathPatterns: { document: 'webhook_hints/{kennitala}' } },
  },
  syncFromDjango: { ...small, ...open, timeoutSeconds: 30, concurrency: 40, maxInstances: 10 },
  trackMemberChanges: {
    ...small,
    timeoutSeconds: 120,
    concurrency: 40,
    maxInstances: 10,
    eventTrigger: { eventFilterPathPatterns: { document: 'members/{kennitala}' } },
  },
  bidirectionalSync: { ...small, ...schedule('30 3 * * *'), timeoutSeconds: 540 },
  opsApi: { ...open, maxInstances: 3 },
  proveMembers: { ...schedule('5-59/10 * * * *'), availableMemoryMb: 512, timeoutSeconds: 1_800 },
  proveAfterRun: {
    availableMemoryMb: 512,
    timeoutSeconds: 360,
    concurrency: 1,
    maxInstances: 1,
    eventTrigger: { eventFilterPathPatterns: { document: 'sync_audit/{runId}' } },
  },
  watchMirrors: { ...schedule('15 2,8,14,20 * * *'), availableMemoryMb: 512, timeoutSeconds: 1_200 },
  reconcileMembers: { ...small, ...schedule('0 4 * * *'), timeoutSeconds: 1_800 },
  membershipSync: {
    ...open,
    availableMemoryMb: 512,
    timeoutSeconds: 540,
    concurrency: 20,
    maxInstances: 3,
  },
  membershipSyncHourly: { ...schedule('0 * * * *'), availableMemoryMb: 512, timeoutSeconds: 540 },
};

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
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
};

describe('the deployed manifest', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await readManifest();
  });

  it('holds these functions and no other', () => {
    expect(Object.keys(stack.endpoints).sort()).toEqual(Object.keys(DEPLOYED).sort());
  });

  it.each(Object.entries(DEPLOYED))('deploys %s as it was meant', (name, expected) => {
    expect(stack.endpoints[name]).toMatchObject({ platform: 'gcfv2', region: ['europe-west2'], ...expected });
  });

  it('retries every event that a failing function would lose', () => {
    for (const { eventTrigger } of Object.values(stack.endpoints)) {
      if (eventTrigger !== undefined) expect(eventTrigger.retry).toBe(true);
    }
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

  it.each([
    ['syncMemberList', ROSTER_RUN_LIMIT_MS, ROSTER_LEASE_MS],
    ['runMemberListSync', ROSTER_RUN_LIMIT_MS, ROSTER_LEASE_MS],
    ['refreshRoster', ROSTER_RUN_LIMIT_MS, ROSTER_LEASE_MS],
    ['reconcileMembers', RECONCILE_RUN_LIMIT_MS, RECONCILE_LEASE_MS],
    ['membershipSync', REGISTER_RUN_LIMIT_MS, REGISTER_LEASE_MS],
    ['membershipSyncHourly', REGISTER_RUN_LIMIT_MS, REGISTER_LEASE_MS],
  ])(
    'stops a run of %s before the function is stopped, and keeps its lease longer',
    (name, runMs, leaseMs) => {
      const limitMs = Number(stack.endpoints[name]?.timeoutSeconds) * 1_000;
      expect(runMs).toBeLessThan(limitMs);
      expect(leaseMs).toBeGreaterThan(limitMs);
    },
  );
});
