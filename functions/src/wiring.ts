import { randomBytes } from 'node:crypto';
import { write } from 'firebase-functions/logger';
import { makeAuthorizeAdmin } from './adapters/auth/authorize-admin.ts';
import { makeVerifyFirebaseToken, makeVerifyGoogleToken } from './adapters/auth/verify-tokens.ts';
import { makeListExport } from './adapters/django/export-list.ts';
import { makeRegistryHttp } from './adapters/django/registry-http.ts';
import { makeFirebaseApp, makeFirestoreClient } from './adapters/firestore/client.ts';
import { makeRunStore } from './adapters/firestore/run-store.ts';
import { makeEnvSecrets } from './adapters/secrets/env-secrets.ts';
import { makeSecretManager } from './adapters/secrets/secret-manager.ts';
import { makeTokenSource } from './adapters/secrets/secret-source.ts';
import { makeStorageClient } from './adapters/storage/client.ts';
import { makeListStore } from './adapters/storage/list-store.ts';
import { type Config, loadConfig } from './config.ts';
import { answerAdminPost, type HttpAnswer, type HttpCall } from './lib/http-endpoint.ts';
import type { LogSink } from './lib/log.ts';
import { logRegistryRetry } from './lib/registry-logs.ts';
import { type RunDependencies, type RunRequest, runMirror } from './mirror/run.ts';
import { answerRun, runRequestBody } from './mirror/run-answer.ts';
import type { ScheduledOccurrence } from './mirror/run-store.ts';
import { assertOccurrenceDone } from './mirror/scheduled-run.ts';
import type { RunReport } from './mirror/types.ts';
import { makeRoster } from './roster/roster.ts';

/** Less than the roster functions' 120 s, so that a run that is too slow still closes its record. */
export const ROSTER_RUN_LIMIT_MS = 100_000;
/** More than those 120 s, so that a live run never loses its lease. */
export const ROSTER_LEASE_MS = 150_000;
/** One call to Cloud Storage with its retries. */
const STORAGE_CALL_LIMIT_MS = 30_000;

const log: LogSink = (severity, message, fields) => write({ severity, message, ...fields });

interface Wired {
  readonly runRoster: (request: RunRequest) => Promise<RunReport>;
  readonly answerRosterRun: (call: HttpCall) => Promise<HttpAnswer>;
}

/** Joins features to adapters. Nothing is opened here: every client is made by its first call. */
const wire = (config: Config): Wired => {
  const secrets =
    config.localSecrets === null
      ? makeSecretManager({ projectId: config.projectId })
      : makeEnvSecrets(config.localSecrets);
  const registry = makeRegistryHttp({
    ...config.registry,
    token: makeTokenSource(secrets, config.registry.tokenSecret),
    log: { onRetry: logRegistryRetry(log) },
  });
  const app = makeFirebaseApp(config.projectId);
  const roster = makeRoster(
    makeListExport(registry, { deadlineMs: config.registry.fetchTimeoutMs }),
    makeListStore(makeStorageClient({ projectId: config.projectId, callLimitMs: STORAGE_CALL_LIMIT_MS }), {
      bucket: config.bucket,
      object: config.rosterObject,
    }),
  );
  const dependencies: RunDependencies = {
    runs: makeRunStore(makeFirestoreClient(app)),
    limits: config.guard,
    log,
    now: () => new Date(),
    makeRunId,
    runLimitMs: ROSTER_RUN_LIMIT_MS,
    leaseMs: ROSTER_LEASE_MS,
  };
  const runRoster = (request: RunRequest) => runMirror(roster, request, dependencies);
  const authorize = makeAuthorizeAdmin({
    verifyFirebaseToken: makeVerifyFirebaseToken(app),
    verifyGoogleToken: makeVerifyGoogleToken(),
    ...config.callers,
  });
  return {
    runRoster,
    answerRosterRun: (call) =>
      answerAdminPost(call, {
        authorize,
        body: runRequestBody,
        log,
        handle: async (body, caller) =>
          answerRun(await runRoster({ ...body, trigger: 'http', requestedBy: caller.id })),
      }),
  };
};

let wired: Wired | undefined;
const once = (): Wired => {
  wired ??= wire(loadConfig());
  return wired;
};

/** The scheduled run. Throws when Cloud Scheduler should try this occurrence again. */
export const runScheduledRoster = async (occurrence: ScheduledOccurrence): Promise<void> =>
  assertOccurrenceDone(await once().runRoster({ trigger: 'schedule', occurrence }));

/** `POST {"dryRun"?, "approve"?}` of an administrator. */
export const answerRosterRun = (call: HttpCall): Promise<HttpAnswer> => once().answerRosterRun(call);

/** `20261123T030000Z-1f2e3d4c`: sorts by time, and tells nothing else. */
const makeRunId = (startedAt: Date): string =>
  `${startedAt.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(4).toString('hex')}`;
