import { makeMemberPages, makeMemberReader } from '../adapters/django/read-members.ts';
import type { Database } from '../adapters/postgres/database.ts';
import { makeDatabase } from '../adapters/postgres/make-database.ts';
import { makeRegisterReader } from '../adapters/postgres/register-reader.ts';
import { makeOutbox, makeRegisterStore, removeExpired } from '../adapters/postgres/register-store.ts';
import { makeMemberReference } from '../domain/member/digest.ts';
import type { MemberChange } from '../domain/member/member-change.ts';
import { makeAuthorizeKeyOrAdmin, makeAuthorizeService } from '../http/callers.ts';
import type { FetchApp } from '../http/front.ts';
import { lazy } from '../lib/concurrency.ts';
import { asSyncError, SyncError } from '../lib/errors.ts';
import type { RunRequest } from '../mirror/run.ts';
import { assertOccurrenceDone } from '../mirror/run-answer.ts';
import type { ScheduledOccurrence } from '../mirror/run-store.ts';
import type { RollDependencies } from '../proof/roll.ts';
import { deliverNotifications, sendWebhook } from '../register/notify.ts';
import type { ReferTo, RowStore } from '../register/ports.ts';
import {
  applyEvent,
  type RegisterOptions,
  type RegisterReport,
  runRegisterMirror,
} from '../register/register.ts';
import { makeRegisterLogs } from '../register/register-logs.ts';
import { type RegisterStores, runDependencies, type Shared, shared, wiredOnce } from './shared.ts';

/** Less than the register functions' 540 s, so that a run that is too slow still closes its record. */
export const REGISTER_RUN_LIMIT_MS = 480_000;
/** More than those 540 s, so that a live run never loses its lease. */
export const REGISTER_LEASE_MS = 600_000;

/** The register over its stores, with what its API reads. Throws `config_invalid` without a database. */
const wireRegister = (base: Shared) => {
  const { config, log, now, registry, secrets } = base;
  const { target, subscribers, apiUrl } = config.register;
  if (target === null) {
    throw new SyncError(
      'config_invalid',
      'The register has no database: set CLOUD_SQL_INSTANCE or DATABASE_URL.',
      { details: { missing: 'CLOUD_SQL_INSTANCE or DATABASE_URL' } },
    );
  }
  const logs = makeRegisterLogs(log);
  const database = makeDatabase({ target });
  const stores: Pick<RegisterStores, 'outbox' | 'reader' | 'removeExpired' | 'store'> =
    base.registerStores ?? {
      outbox: makeOutbox(database),
      reader: makeRegisterReader(database),
      removeExpired: (at) => removeExpired(database, at),
      store: makeRegisterStore(database, {
        onRetry: ({ attempt, error }) => logs.databaseRetry(attempt, asSyncError(error)),
      }),
    };
  const pages = makeMemberPages(registry, {
    baseUrl: config.registry.baseUrl,
    deadlineMs: config.registry.fetchTimeoutMs,
  });
  const reader = makeMemberReader(registry, { deadlineMs: config.registry.fetchTimeoutMs });
  /** The key is read before a run, so that naming a member in the middle of a transaction waits for nothing. */
  const makeReferTo = async (): Promise<ReferTo> => {
    const key = await secrets.read(config.memberReferenceSecret);
    return (kennitala) => makeMemberReference(key, kennitala);
  };
  return {
    database,
    pages,
    makeReferTo,
    abandonedAfterMs: REGISTER_LEASE_MS,
    reader: stores.reader,
    runRegister: async (request: RunRequest, part: Partial<RegisterOptions> = {}): Promise<RegisterReport> =>
      runRegisterMirror(
        request,
        {
          pages,
          registry: reader,
          store: stores.store,
          referTo: await makeReferTo(),
          subscribers,
          apiUrl,
          abandonedAfterMs: REGISTER_LEASE_MS,
          ...part,
        },
        runDependencies(base, { runLimitMs: REGISTER_RUN_LIMIT_MS, leaseMs: REGISTER_LEASE_MS }),
      ),
    /** A pool of its own, which only events write through. */
    rows: lazy(async (): Promise<RowStore> => {
      if (base.registerStores !== undefined) return base.registerStores.rows;
      const { makeRowStore, ROW_STORE_DATABASE } = await import('../adapters/postgres/row-store.ts');
      return makeRowStore(makeDatabase({ target, ...ROW_STORE_DATABASE }));
    }),
    /** Never throws: what was not delivered stays in the outbox, and what was not deleted is deleted next time. */
    afterwards: async (): Promise<void> => {
      try {
        await deliverNotifications({
          outbox: stores.outbox,
          subscribers,
          secretsOf: (name) => secrets.readAll(`register-webhook-${name}`),
          send: sendWebhook,
          now,
          random: Math.random,
          logs,
        });
        await stores.removeExpired(now());
      } catch (cause) {
        logs.afterwardsFailed(asSyncError(cause));
      }
    },
  };
};

const wired = wiredOnce(wireRegister);

/** One run of the register, whoever asked for it. Throws `config_invalid` without a database. */
export const runRegister = (request: RunRequest, base?: Shared): Promise<RegisterReport> =>
  wired(base).runRegister(request);

/** One run of the register over the buckets that a proof has read; its notifications go with the hourly run's. */
export const runRegisterPart = (
  members: readonly unknown[],
  buckets: readonly number[],
  base?: Shared,
): Promise<RegisterReport> => {
  const pages = {
    async *pages() {
      yield { members, count: members.length };
    },
  };
  return wired(base).runRegister({ trigger: 'proof' }, { pages, buckets });
};

/** The register's database, for looking one member up; null in a project without a register. */
export const registerDatabase = (base = shared()): Database | null =>
  base.config.register.target === null ? null : wired(base).database;

/** One event of the registry on the register's row, within seconds. Throws `database_*`, `schema_outdated`. */
export const applyEventToRegister = async (change: MemberChange, base = shared()): Promise<void> => {
  const { rows, makeReferTo } = wired(base);
  await applyEvent(change, {
    rows: await rows(),
    referTo: await makeReferTo(),
    logs: makeRegisterLogs(base.log),
    now: base.now,
  });
};

/**
 * The scheduled run, then the notifications that are due. Without a database nothing is done: a project may have no
 * register. Throws when Cloud Scheduler should try this occurrence again.
 */
export const runScheduledRegister = async (
  occurrence: ScheduledOccurrence,
  base = shared(),
): Promise<void> => {
  const { config, log } = base;
  if (config.register.target === null) {
    makeRegisterLogs(log).notConfigured();
    return;
  }
  const { runRegister, afterwards } = wired(base);
  const report = await runRegister({ trigger: 'schedule', occurrence });
  await afterwards();
  assertOccurrenceDone(report);
};

const api = wiredOnce((base) =>
  lazy(async () => {
    const { rollDependencies } = await import('./roster.ts');
    return wireRegisterApi(base, wired(base), rollDependencies(base));
  }),
);

/** The REST API, made at its first request. Throws `config_invalid`. */
export const registerApi = (base?: Shared): Promise<FetchApp> => api(base)();

type ApiParts = Pick<
  ReturnType<typeof wireRegister>,
  'abandonedAfterMs' | 'afterwards' | 'makeReferTo' | 'pages' | 'reader' | 'runRegister'
>;

/** The REST API over the register's parts. Opens nothing. */
export const wireRegisterApi = async (
  base: Shared,
  { abandonedAfterMs, afterwards, makeReferTo, pages, reader, runRegister }: ApiParts,
  dependenciesOfRoll: RollDependencies,
) => {
  const { config, log, now, secrets, verifyGoogleToken } = base;
  const [{ makeApp }, { makeRateLimit }, api, { rollAt }] = await Promise.all([
    import('../http/app.ts'),
    import('../http/callers.ts'),
    import('../register/api/routes.ts'),
    import('../proof/roll.ts'),
  ]);
  const authorizeAdmin = makeAuthorizeKeyOrAdmin({
    readKeys: () => secrets.readAll(config.register.adminKeySecret),
    authorizeAdmin: base.authorize,
  });
  const routes = api.registerRoutes({
    reader,
    run: async (request) => {
      const report = await runRegister({ trigger: 'http', ...request });
      if (!request.dryRun) await afterwards();
      return report;
    },
    authorizeAdmin,
    authorizeService: makeAuthorizeService({
      verifyGoogleToken,
      serviceAccounts: config.register.serviceAccounts,
      audiences: config.register.audiences,
      setting: 'REGISTER_SERVICE_ACCOUNTS',
    }),
    checkRegistry: async () => {
      for await (const _ of pages.pages({ signal: AbortSignal.timeout(HEALTH_LIMIT_MS), pageSize: 1 }))
        return;
    },
    referTo: await makeReferTo(),
    rollAt: (at) => rollAt(at, dependenciesOfRoll),
    now,
    abandonedAfterMs,
  });
  return makeApp(routes, {
    authorize: authorizeAdmin,
    log,
    limits: {
      address: makeRateLimit(api.LIMITS_PER_MINUTE.address, now),
      caller: makeRateLimit(api.LIMITS_PER_MINUTE.caller, now),
    },
    document: api.REGISTER_DOCUMENT,
  });
};

const HEALTH_LIMIT_MS = 10_000;
