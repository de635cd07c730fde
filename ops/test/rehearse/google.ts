import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FIREBASE_ROUTES } from './firebase-routes.ts';
import { GCLOUD_ROUTES } from './gcloud-routes.ts';
import { NEW_PROJECT_ROUTES } from './new-project-routes.ts';
import { type Call, type Json, Refusal, type State } from './project-state.ts';

/** What gcloud asks stands first, since it names the narrower addresses. */
const ROUTES = [...NEW_PROJECT_ROUTES, ...GCLOUD_ROUTES, ...FIREBASE_ROUTES];

export interface Google {
  readonly port: number;
  readonly state: State;
  readonly calls: readonly Call[];
  /** What was asked and no route knows: the rehearsal would be blind there. */
  readonly unknown: readonly string[];
  /** Refuses what matches, before anything else. `method machine/path` is what is looked at. */
  refuse(what: RegExp, status: number, message: string): void;
  forgive(): void;
  close(): Promise<void>;
}

const WORDS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
};
const VERSION =
  /^\/([^/]+)\/(?:storage\/|upload\/storage\/|compute\/|apis\/serving\.knative\.dev\/)?(v\d+[a-z\d]*)\//;

/**
 * A Google of our own on loopback, for one project: enough of its REST APIs for `firebase deploy` and `gcloud` to work
 * as they do in earnest. It keeps what it is told and answers that again; it judges nothing but what it is told to refuse.
 * What is asked of one of `machines` goes on to the address behind its name.
 */
export const startGoogle = async (
  state: State,
  machines: Readonly<Record<string, string>> = {},
): Promise<Google> => {
  const calls: Call[] = [];
  const unknown: string[] = [];
  const refusals: { what: RegExp; status: number; message: string }[] = [];
  const answer = (call: Call): unknown => {
    const line = `${call.method} ${call.what}`;
    const refusal = refusals.find(({ what }) => what.test(line));
    if (refusal !== undefined) throw new Refusal(refusal.status, refusal.message);
    for (const [pattern, handle] of ROUTES) {
      const found = pattern.exec(line);
      if (found !== null) return handle({ ...call, found: [...found].slice(1) }, state);
    }
    unknown.push(line);
    throw new Refusal(404, `${line}: no route`);
  };
  const server = createServer(async (request, response) => {
    const raw = await readAll(request);
    const url = new URL(addressOf(request));
    const there = machines[url.hostname];
    if (there !== undefined) return relay(`${there}${url.pathname}${url.search}`, request, raw, response);
    // The machine of a region serves the same API.
    const machine = url.hostname.replace(/^[a-z]+-[a-z]+\d-(?=\w+\.googleapis)/, '');
    const call: Call = {
      method: request.method ?? 'GET',
      what: decodeURIComponent(`/${machine}${url.pathname}`.replace(VERSION, '/$1/').slice(1)),
      version: VERSION.exec(`/${machine}${url.pathname}`)?.[2] ?? '',
      query: url.searchParams,
      body: tryParse(raw),
      raw,
      found: [],
    };
    calls.push(call);
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    try {
      send(200, answer(call));
    } catch (cause) {
      const status = cause instanceof Refusal ? cause.status : 500;
      const message = cause instanceof Error ? cause.message : String(cause);
      send(status, { error: { code: status, message, status: WORDS[status] ?? 'INTERNAL' } });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    state,
    calls,
    unknown,
    refuse: (what, status, message) => void refusals.push({ what, status, message }),
    forgive: () => void refusals.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Of a proxy the whole address is asked; else the machine that was meant is the host. */
const addressOf = ({ url = '/', headers }: IncomingMessage): string =>
  url.startsWith('http://') ? url : `http://${headers.host}${url}`;

const relay = async (
  address: string,
  { method = 'GET', headers }: IncomingMessage,
  raw: Buffer,
  response: ServerResponse,
): Promise<void> => {
  const { authorization = '', 'content-type': type = '' } = headers;
  const answer = await fetch(address, {
    method,
    headers: { authorization, 'content-type': type },
    ...(raw.length > 0 && { body: raw }),
  });
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(await answer.text());
};

const readAll = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
};

const tryParse = (raw: Buffer): Json => {
  try {
    return JSON.parse(raw.toString('utf8'));
  } catch {
    return {};
  }
};
