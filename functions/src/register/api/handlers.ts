import type { RouteHandler } from '@hono/zod-openapi';
import { asSyncError } from '../../lib/errors.ts';
import { answerRun } from '../../mirror/run-answer.ts';
import type { SyncLogEntry } from '../reading.ts';
import type { ApiEnv, ApiOptions } from './app.ts';
import type * as routes from './routes.ts';

type Handler<Route extends keyof typeof routes> = RouteHandler<(typeof routes)[Route], ApiEnv>;

interface Handlers {
  readonly health: Handler<'healthRoute'>;
  readonly sync: Handler<'syncRoute'>;
  readonly dryRun: Handler<'dryRunRoute'>;
  readonly status: Handler<'statusRoute'>;
  readonly logs: Handler<'logsRoute'>;
  readonly changes: Handler<'changesRoute'>;
  readonly eligibility: Handler<'eligibilityRoute'>;
}

/** What each route does once its caller and its request have been checked. */
export const handlers = (options: ApiOptions): Handlers => {
  const { reader, run, referTo, now } = options;

  // A run's answer is a report or a problem, with the status of its code: more than the type of a route can say.
  const answerReport = async (request: Parameters<typeof run>[0]): Promise<never> => {
    const { samples, ...report } = await run(request);
    const { status, headers, body } = answerRun(report);
    return new Response(JSON.stringify({ ...body, samples }), { status, headers: { ...headers } }) as never;
  };

  return {
    health: async (c) => {
      const service = 'membership-sync' as const;
      if (c.req.valid('query').deep !== '1') return c.json({ status: 'healthy' as const, service }, 200);
      c.set('caller', await options.authorizeAdmin(c.req.header('authorization')));
      const [database, registry] = await Promise.allSettled([reader.readSchema(), options.checkRegistry()]);
      const schema = database.status === 'fulfilled' ? database.value : null;
      const isHealthy = schema !== null && schema.version >= schema.needed && registry.status === 'fulfilled';
      const checks = { database: codeOf(database), schema, registry: codeOf(registry) };
      if (isHealthy) return c.json({ status: 'healthy' as const, service, checks }, 200);
      return c.json({ status: 'unhealthy' as const, service, checks }, 503);
    },

    sync: (c) => {
      const { approve } = c.req.valid('json');
      return answerReport({ dryRun: false, approve, requestedBy: c.get('caller').id });
    },

    dryRun: (c) => answerReport({ dryRun: true, requestedBy: c.get('caller').id }),

    status: async (c) => {
      const { lastRun, lastSuccess, active, inactive, waitingNotifications } = await reader.readStatus();
      const at = now().getTime();
      const running =
        lastRun?.status === 'pending' && at - lastRun.sync_timestamp.getTime() < options.abandonedAfterMs;
      return c.json(
        {
          running,
          last_run: lastRun === null ? null : entry(lastRun),
          last_success: lastSuccess === null ? null : entry(lastSuccess),
          age_seconds:
            lastSuccess === null
              ? null
              : Math.max(0, Math.round((at - lastSuccess.sync_timestamp.getTime()) / 1_000)),
          active_members: active,
          inactive_members: inactive,
          waiting_notifications: waitingNotifications,
        },
        200,
      );
    },

    logs: async (c) => {
      const { limit, before, status, type } = c.req.valid('query');
      const found = await reader.readLogs({
        limit: limit + 1,
        before: before ?? null,
        status: status ?? null,
        type: type ?? null,
      });
      const logs = found.slice(0, limit);
      return c.json(
        { logs: logs.map(entry), next: found.length > limit ? (logs.at(-1)?.id ?? null) : null },
        200,
      );
    },

    changes: async (c) => {
      const { after, limit } = c.req.valid('query');
      const found = await reader.readChanges(c.req.valid('param').run, { after, limit: limit + 1 });
      const changes = found.slice(0, limit);
      return c.json(
        {
          changes: changes.map(({ memberId, kind, kennitala }) => ({
            member_id: memberId,
            member: referTo(kennitala),
            kind,
          })),
          next: found.length > limit ? (changes.at(-1)?.memberId ?? null) : null,
        },
        200,
      );
    },

    eligibility: async (c) => {
      const { members, verifiedAt } = await reader.readEligibility(c.req.valid('json').kennitalas);
      return c.json(
        {
          verified_at: verifiedAt?.toISOString() ?? null,
          members: members.map(({ kennitala, active, since }) => ({
            kennitala,
            active,
            since: since?.toISOString() ?? null,
          })),
        },
        200,
      );
    },
  };
};

const codeOf = (settled: PromiseSettledResult<unknown>): string =>
  settled.status === 'fulfilled' ? 'ok' : asSyncError(settled.reason).code;

const entry = ({ sync_timestamp, details, ...row }: SyncLogEntry) => ({
  ...row,
  sync_timestamp: sync_timestamp.toISOString(),
  details: { ...details },
});
