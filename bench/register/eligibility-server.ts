/**
 * One contender of the eligibility benchmark, in a process of its own. `ours`: the API's own app behind its front, with Google's
 * own check of tokens under the benchmark's key, and the database as it is deployed. `reference`: parse, compare a bearer, one
 * `select`; the least that such a question takes.
 */
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { makeVerifyGoogleToken } from '../../functions/src/adapters/auth/verify-tokens.ts';
import { makeDatabase } from '../../functions/src/adapters/postgres/make-database.ts';
import { makeRegisterReader } from '../../functions/src/adapters/postgres/register-reader.ts';
import { makeApp } from '../../functions/src/http/app.ts';
import { makeAuthorizeService } from '../../functions/src/http/callers.ts';
import { answerFailure, serveFront, takeNextServer } from '../../functions/src/http/front.ts';
import { registerRoutes } from '../../functions/src/register/api/routes.ts';

/** What the parent process sends first; the answer is the port. */
export interface ServeOrder {
  readonly contender: 'ours' | 'reference';
  readonly databaseUrl: string;
  readonly pemUrl: string;
  readonly caller: string;
  readonly audience: string;
  readonly token: string;
}

const CONNECTIONS = 4;

const notAsked = (): never => {
  throw new Error('The benchmark asks for nothing else.');
};

const ours = ({ databaseUrl, pemUrl, caller, audience }: ServeOrder): RequestListener => {
  const log = () => undefined;
  const endpoints = { oauth2FederatedSignonPemCertsUrl: pemUrl };
  const routes = registerRoutes({
    reader: makeRegisterReader(makeDatabase({ target: { kind: 'url', url: databaseUrl } })),
    authorizeService: makeAuthorizeService({
      verifyGoogleToken: makeVerifyGoogleToken({ endpoints }),
      serviceAccounts: [caller],
      audiences: [audience],
      setting: 'REGISTER_SERVICE_ACCOUNTS',
    }),
    authorizeAdmin: notAsked,
    run: notAsked,
    checkRegistry: notAsked,
    referTo: notAsked,
    rollAt: notAsked,
    now: () => new Date(),
    abandonedAfterMs: 600_000,
  });
  const app = makeApp(routes, { authorize: notAsked, log });
  const front = {
    maxBodyBytes: 64 * 1024,
    app: () => app,
    toAnswer: (cause: Parameters<typeof answerFailure>[0]) => answerFailure(cause, log),
  };
  takeNextServer((request, response) => void serveFront(request, response, front));
  return () => undefined;
};

const reference = ({ databaseUrl, token }: ServeOrder): RequestListener => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS });
  // The database ends before the process does, and takes the idle connections with it.
  pool.on('error', () => undefined);
  return async (request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    const { kennitalas } = JSON.parse(await text(request)) as { kennitalas: string[] };
    const { rows } = await pool.query(
      'select kennitala, is_active as active, added_at as since from public.members where kennitala = any($1)',
      [kennitalas],
    );
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ members: rows }));
  };
};

process.on('disconnect', () => process.exit(0));
process.once('message', (order: ServeOrder) => {
  // First: ours puts its front before the next server that is made.
  const listener = { ours, reference }[order.contender](order);
  const server = http.createServer(listener);
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
});
