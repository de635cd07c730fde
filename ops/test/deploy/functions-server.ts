import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { WELL, wellMirror } from '../../../functions/test/ops/support/status-answers.ts';

export interface FunctionsServer {
  readonly url: string;
  /** `METHOD path authorization body`. */
  readonly calls: string[];
  /** Answers by method and path; a value overrides what a healthy project answers. */
  readonly answers: Map<string, { status: number; body: unknown }>;
  close(): Promise<void>;
}

/** What Firebase knows of the project. */
export const FIREBASE = 'GET /v1beta1/projects/demo-deploy/adminSdkConfig';

const STATUS: StatusAnswer = {
  ...WELL,
  mirrors: [wellMirror('roster'), wellMirror('portal'), { ...wellMirror('register'), healthy: null }],
};

/** A run as `opsApi` answers it. */
export const dryRunAnswer = (fields: object = {}) => ({
  run: {
    runId: '20261120T120000Z-00000000',
    mirror: 'roster',
    trigger: 'http',
    status: 'success',
    outcome: 'dry-run',
    timestamp: '2026-11-20T12:00:00.000Z',
    durationMs: 100,
    memberCount: 2_216,
    djangoExportedAt: null,
    changes: { added: 3, removed: 1, updated: 0, unchanged: 2_213, quarantined: 0 },
    missedEvents: null,
    planId: null,
    guard: { tripped: false, findings: [] },
    objectGeneration: null,
    previousGeneration: null,
    rollbackOf: null,
    sha256: null,
    warnings: [],
    error: null,
    errorCode: null,
    requestedBy: null,
    approvedBy: null,
    reason: null,
    ...fields,
  },
  forecast: null,
});

/** Answers over HTTP as the deployed functions of a healthy project would. */
export const startFunctionsServer = async (): Promise<FunctionsServer> => {
  const calls: string[] = [];
  const answers: FunctionsServer['answers'] = new Map([
    ['POST /syncFromDjango', { status: 401, body: { error: 'unauthenticated' } }],
    ['GET /opsApi/status', { status: 200, body: STATUS }],
    ['GET /membershipSync/health', { status: 200, body: { status: 'healthy', service: 'membership-sync' } }],
    [
      FIREBASE,
      { status: 200, body: { projectId: 'demo-deploy', storageBucket: 'demo-deploy.firebasestorage.app' } },
    ],
    ['POST /opsApi/runs', { status: 200, body: dryRunAnswer() }],
  ]);
  const server: Server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const call = `${request.method} ${request.url}`;
    // Firebase's own API, which a deployment asks about the project, is answered here too.
    if (!call.includes('/v1beta1/'))
      calls.push([call, request.headers.authorization ?? 'unsigned', body].join(' ').trim());
    const answer = answers.get(call) ?? { status: 404, body: { code: 'not_found' } };
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
