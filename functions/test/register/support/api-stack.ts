import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Storage } from '@google-cloud/storage';
import { startStorage } from '../../../../local/src/storage/index.ts';
import { makeRunHistory } from '../../../src/adapters/firestore/ops-runs.ts';
import { makeRegisterReader } from '../../../src/adapters/postgres/register-reader.ts';
import { makeListStore, makeListVersions } from '../../../src/adapters/storage/list-store.ts';
import { makeApp } from '../../../src/http/app.ts';
import { makeAuthorizeKeyOrAdmin, makeAuthorizeService, makeRateLimit } from '../../../src/http/callers.ts';
import { SyncError } from '../../../src/lib/errors.ts';
import { rollAt } from '../../../src/proof/roll.ts';
import { LIMITS_PER_MINUTE, REGISTER_DOCUMENT, registerRoutes } from '../../../src/register/api/routes.ts';
import { chain } from '../../support/chain.ts';
import { type RegisterStackOptions, referTo, startRegisterStack } from './register-stack.ts';

export const KEYS = ['0f'.repeat(32), 'e1'.repeat(32)];
export const SERVICE = 'elections@demo-ekklesia.iam.gserviceaccount.com';
const AUDIENCE = 'https://api.example.is';

/** A token whose signature the stubbed verifier takes for good: what it claims is in its payload. */
export const tokenOf = (claims: Readonly<Record<string, unknown>>): string =>
  `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

/** The API over a real database and registry. Only the issuers of tokens are stood in for. */
export const startApiStack = async (options: RegisterStackOptions = {}) => {
  const stack = await startRegisterStack(options);
  const folder = await mkdtemp(join(tmpdir(), 'register-api-'));
  const storage = await startStorage({ directory: folder });
  const storageClient = new Storage({ projectId: 'demo-ekklesia', apiEndpoint: storage.url });
  const place = { bucket: 'demo-ekklesia.appspot.com', object: 'kennitalas.txt' };
  const history = makeRunHistory(async () => stack.db);
  const authorizeAdmin = makeAuthorizeKeyOrAdmin({
    readKeys: async () => KEYS,
    authorizeAdmin: async (header) => {
      const claims = JSON.parse(Buffer.from(header?.split('.')[1] ?? '', 'base64url').toString());
      if (claims.valid !== true) throw new SyncError('unauthenticated', 'The token is not valid here.');
      if (claims.role !== 'admin') throw new SyncError('forbidden', 'This needs the role admin.');
      return { kind: 'person', id: claims.uid };
    },
  });
  const { now } = stack.dependencies;
  const routes = registerRoutes({
    reader: makeRegisterReader(stack.database),
    run: ({ dryRun, approve, requestedBy }) => stack.run({ trigger: 'http', dryRun, approve, requestedBy }),
    authorizeAdmin,
    authorizeService: makeAuthorizeService({
      verifyGoogleToken: async (token, audiences) => {
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
        if (!audiences.includes(claims.aud)) throw new Error('wrong audience');
        return claims;
      },
      serviceAccounts: [SERVICE],
      audiences: [AUDIENCE],
      setting: 'REGISTER_SERVICE_ACCOUNTS',
    }),
    checkRegistry: async () => {
      for await (const _ of stack.registerOptions.pages.pages({ signal: AbortSignal.timeout(20_000) }))
        return;
    },
    referTo,
    rollAt: (at) =>
      rollAt(at, {
        versions: makeListVersions(async () => storageClient, place),
        runsBefore: async (until, limit) =>
          (await history.page({ mirror: 'roster', until: new Date(until.getTime() + 1), limit })).items,
        keys: chain,
        now,
      }),
    now,
    abandonedAfterMs: 150_000,
  });
  const api = makeApp(routes, {
    authorize: authorizeAdmin,
    log: stack.dependencies.log,
    limits: {
      address: makeRateLimit(LIMITS_PER_MINUTE.address, now),
      caller: makeRateLimit(LIMITS_PER_MINUTE.caller, now),
    },
    document: REGISTER_DOCUMENT,
  });
  const call = async (path: string, init: RequestInit & { token?: string } = {}) => {
    const { token, ...rest } = init;
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(typeof rest.body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...rest.headers,
    };
    const response = await api.fetch(new Request(`http://api.test${path}`, { ...rest, headers }));
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : null,
    };
  };
  const service = tokenOf({ aud: AUDIENCE, email: SERVICE, email_verified: true });
  return {
    ...stack,
    api,
    call,
    service,
    key: KEYS[0] ?? '',
    list: makeListStore(async () => storageClient, place),
    close: async () => {
      await Promise.all([stack.close(), storage.close()]);
      await rm(folder, { recursive: true });
    },
  };
};

export type ApiStack = Awaited<ReturnType<typeof startApiStack>>;
