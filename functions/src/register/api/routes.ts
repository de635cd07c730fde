import { createRoute } from '@hono/zod-openapi';
import type { ZodType } from 'zod';
import * as s from './schemas.ts';

const json = <T extends ZodType>(schema: T) => ({ 'application/json': { schema } });
const answers = <T extends ZodType>(schema: T, description: string) => ({
  200: { description, content: json(schema) },
  default: {
    description: 'a problem document',
    content: { 'application/problem+json': { schema: s.problem } },
  },
});

const admin = [{ adminKey: [] }, { firebase: [] }];
const service = [{ google: [] }];

/** Every route of the API, as `/openapi.json` shows it. Who may call is checked by `secure` in app.ts. */
export const healthRoute = createRoute({
  method: 'get',
  path: '/health',
  summary: 'Whether the service runs; with ?deep=1 (admin) its database, schema and registry too',
  request: { query: s.healthQuery },
  responses: { ...answers(s.health, 'healthy'), 503: { description: 'unhealthy', content: json(s.health) } },
});

export const syncRoute = createRoute({
  method: 'post',
  path: '/sync',
  summary: 'Run now; with `approve`, let one refused plan through',
  security: admin,
  request: { body: { content: json(s.syncRequest) } },
  responses: answers(s.runReport, 'the record of the run'),
});

export const dryRunRoute = createRoute({
  method: 'post',
  path: '/sync/dry-run',
  summary: 'What a run would do now: counts, samples, the guard’s verdict and the plan id',
  security: admin,
  request: { body: { content: json(s.dryRunRequest) } },
  responses: answers(s.runReport, 'the plan'),
});

export const statusRoute = createRoute({
  method: 'get',
  path: '/sync/status',
  summary: 'The last run, the last success and its age, whether one is running, and counts of members',
  security: admin,
  responses: answers(s.statusAnswer, 'the status'),
});

export const logsRoute = createRoute({
  method: 'get',
  path: '/sync/logs',
  summary: 'Rows of sync_log, newest first',
  security: admin,
  request: { query: s.logsQuery },
  responses: answers(s.logsAnswer, 'a page'),
});

export const changesRoute = createRoute({
  method: 'get',
  path: '/sync/runs/{run}/changes',
  summary: 'The rows that a run changed, for the services that were notified of it',
  security: service,
  request: { params: s.runParams, query: s.changesQuery },
  responses: answers(s.changesAnswer, 'a page'),
});

export const eligibilityRoute = createRoute({
  method: 'post',
  path: '/members/eligibility',
  summary: 'For each kennitala: an active member or not, and since when',
  security: service,
  request: { body: { content: json(s.eligibilityRequest), required: true } },
  responses: answers(s.eligibilityAnswer, 'one entry for each, in the order asked'),
});
