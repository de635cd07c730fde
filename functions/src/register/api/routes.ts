import { type Authorize, makeRateLimit } from '../../http/callers.ts';
import { defineRoute, EVERYBODY, type Route } from '../../http/route.ts';
import { asSyncError } from '../../lib/errors.ts';
import type { Approval } from '../../mirror/mirror.ts';
import { answerRun, toPublicReport } from '../../mirror/run-answer.ts';
import { parseMoment, type Roll } from '../../proof/roll.ts';
import type { ReferTo, RegisterReader, SyncLogEntry } from '../ports.ts';
import type { RegisterReport } from '../register.ts';
import type { PlanSamples } from '../register-logs.ts';
import * as s from './schemas.ts';

export interface RegisterApiOptions {
  readonly reader: RegisterReader;
  readonly run: (request: {
    readonly dryRun: boolean;
    readonly approve?: Approval | undefined;
    readonly requestedBy: string;
  }) => Promise<RegisterReport>;
  readonly authorizeAdmin: Authorize;
  readonly authorizeService: Authorize;
  /** Asks the registry anything; throws the `registry_*` codes. */
  readonly checkRegistry: () => Promise<void>;
  readonly referTo: ReferTo;
  /** The published list that was in force at a moment; throws `roll_unknown`, `chain_broken`, `storage_*`, `store_unavailable`. */
  readonly rollAt: (at: Date) => Promise<Roll>;
  readonly now: () => Date;
  /** A `pending` row that is older belongs to a run that crashed. */
  readonly abandonedAfterMs: number;
}

/** A caller that has proved who it is; a caller that starts runs; an address that has not. */
export const LIMITS_PER_MINUTE = { caller: 120, runs: 10, address: 300 } as const;

/** What `/openapi.json` says beside the routes. */
export const REGISTER_DOCUMENT = {
  isPublic: true,
  title: 'membership-sync',
  version: '1.0.0',
  description: 'The register: members in PostgreSQL, kept equal to the registry.',
  security: {
    adminKey: { description: 'ADMIN_API_KEY' },
    firebase: {
      bearerFormat: 'JWT',
      description:
        'A Firebase ID token with the role admin or superuser, or of an administrators’ service account',
    },
    google: {
      bearerFormat: 'JWT',
      description: 'A Google-signed ID token of a service account in REGISTER_SERVICE_ACCOUNTS',
    },
  },
} as const;

/** The register's REST API (docs/api.md): what each route takes, answers and does. */
export const registerRoutes = (options: RegisterApiOptions): Route[] => {
  const { reader, referTo, now } = options;
  const admin = { who: () => options.authorizeAdmin, security: ['adminKey', 'firebase'] };
  const starter = { ...admin, limit: makeRateLimit(LIMITS_PER_MINUTE.runs, now) };
  const service = { who: () => options.authorizeService, security: ['google'] };

  const run = async (request: Parameters<typeof options.run>[0]) => {
    const { samples, ...report } = await options.run(request);
    return answerRun(report, { ...toPublicReport(report), samples: samples && toWireSamples(samples) });
  };

  return [
    defineRoute({
      method: 'GET',
      path: '/health',
      summary: 'Whether the service runs; with ?deep=1 (admin) its database, schema and registry too',
      query: s.healthQuery,
      answer: s.health,
      unless: { when: ({ status }) => status === 'unhealthy', status: 503, description: 'unhealthy' },
      who: ({ deep }) => (deep === '1' ? options.authorizeAdmin : EVERYBODY),
      handle: async ({ query }) => {
        const service = 'membership-sync' as const;
        if (query.deep !== '1') return { status: 'healthy' as const, service };
        const [database, registry] = await Promise.allSettled([reader.readSchema(), options.checkRegistry()]);
        const schema = database.status === 'fulfilled' ? database.value : null;
        const isHealthy =
          schema !== null && schema.version >= schema.needed && registry.status === 'fulfilled';
        return {
          status: isHealthy ? ('healthy' as const) : ('unhealthy' as const),
          service,
          checks: { database: codeOf(database), schema, registry: codeOf(registry) },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/sync',
      summary: 'Run now; with `approve`, let one refused plan through',
      body: s.syncRequest,
      answer: s.registerRunReport,
      ...starter,
      handle: ({ body, caller }) => run({ dryRun: false, approve: body.approve, requestedBy: caller.id }),
    }),
    defineRoute({
      method: 'POST',
      path: '/sync/dry-run',
      summary: 'What a run would do now: counts, samples, the guard’s verdict and the plan id',
      body: s.dryRunRequest,
      answer: s.registerRunReport,
      ...starter,
      handle: ({ caller }) => run({ dryRun: true, requestedBy: caller.id }),
    }),
    defineRoute({
      method: 'GET',
      path: '/sync/status',
      summary: 'The last run, the last success and its age, whether one is running, and counts of members',
      answer: s.registerStatus,
      ...admin,
      handle: async () => {
        const { lastRun, lastSuccess, active, inactive, waitingNotifications } = await reader.readStatus();
        const at = now().getTime();
        const ageOf = ({ sync_timestamp }: SyncLogEntry): number => at - sync_timestamp.getTime();
        return {
          running: lastRun?.status === 'pending' && ageOf(lastRun) < options.abandonedAfterMs,
          last_run: lastRun === null ? null : toWireEntry(lastRun),
          last_success: lastSuccess === null ? null : toWireEntry(lastSuccess),
          age_seconds: lastSuccess === null ? null : Math.max(0, Math.round(ageOf(lastSuccess) / 1_000)),
          active_members: active,
          inactive_members: inactive,
          waiting_notifications: waitingNotifications,
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/sync/logs',
      summary: 'Rows of sync_log, newest first',
      query: s.logsQuery,
      answer: s.logsAnswer,
      ...admin,
      handle: async ({ query: { limit, before = null, status = null, type = null } }) => {
        const found = await reader.readLogs({ limit: limit + 1, before, status, type });
        const logs = found.slice(0, limit);
        return {
          logs: logs.map(toWireEntry),
          next: found.length > limit ? (logs.at(-1)?.id ?? null) : null,
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/sync/runs/:run/changes',
      summary: 'The rows that a run changed, for the services that were notified of it',
      params: s.runParams,
      query: s.changesQuery,
      answer: s.changesAnswer,
      ...service,
      handle: async ({ params, query: { after, limit } }) => {
        const found = await reader.readChanges(params.run, { after, limit: limit + 1 });
        const changes = found.slice(0, limit);
        return {
          changes: changes.map(({ memberId, kind, kennitala }) => ({
            member_id: memberId,
            member: referTo(kennitala),
            kind,
          })),
          next: found.length > limit ? (changes.at(-1)?.memberId ?? null) : null,
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/members/eligibility',
      summary: 'For each kennitala: an active member or not, and since when',
      body: s.eligibilityRequest,
      answer: s.eligibilityAnswer,
      ...service,
      handle: async ({ body }) => {
        if (body.at !== undefined) {
          const { receipt, bytes } = await options.rollAt(parseMoment(body.at, now()));
          const held = new Set(Buffer.from(bytes).toString('latin1').split('\n'));
          return {
            verified_at: receipt.registry.equalAt,
            members: body.kennitalas.map((kennitala) => ({
              kennitala,
              active: held.has(kennitala),
              since: null,
            })),
            roll: receipt,
          };
        }
        const { members, verifiedAt } = await reader.readEligibility(body.kennitalas);
        return {
          verified_at: verifiedAt?.toISOString() ?? null,
          members: members.map(({ kennitala, active, since }) => ({
            kennitala,
            active,
            since: since?.toISOString() ?? null,
          })),
        };
      },
    }),
  ];
};

const toWireSamples = ({ added, reactivated, updated, removed }: PlanSamples) => ({
  added: [...added],
  reactivated: [...reactivated],
  updated: [...updated],
  removed: [...removed],
});

const codeOf = (settled: PromiseSettledResult<unknown>): string =>
  settled.status === 'fulfilled' ? 'ok' : asSyncError(settled.reason).code;

const toWireEntry = ({ sync_timestamp, details, ...row }: SyncLogEntry) => ({
  ...row,
  sync_timestamp: sync_timestamp.toISOString(),
  details: { ...details },
});
