import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { fieldErrors } from '../http/answers.ts';
import type { RegistryEnv } from '../http/env.ts';
import { type Fault, parseQueryFault } from './fault.ts';
import type { FaultPlan } from './fault-plan.ts';
import { LOGIN_PAGE } from './login-page.ts';
import { spoilJson, spoilsJson } from './spoil-json.ts';

const DEFAULT_TRICKLE_BYTES = 64;

/** Finds the request's fault, and plays what concerns the answer as a whole or the way it is sent. Outermost. */
export const faultyTransport =
  (plan: FaultPlan): MiddlewareHandler<RegistryEnv> =>
  async (c, next) => {
    let fault: Fault;
    try {
      fault = { ...plan.take(c.req.path), ...parseQueryFault(c.req.query()) };
    } catch (error) {
      if (error instanceof z.ZodError) return c.json(fieldErrors(error), 400);
      throw error;
    }
    c.set('fault', fault);
    if (fault.delay_ms) await pause(fault.delay_ms, c.env.outgoing);
    if (fault.disconnect === 'at-once') {
      c.env.outgoing.socket?.resetAndDestroy();
      return RESPONSE_ALREADY_SENT;
    }
    if (fault.status !== undefined) {
      if (fault.retry_after !== undefined) c.header('Retry-After', fault.retry_after);
      return c.body(
        JSON.stringify({ detail: 'The stand-in was asked for this answer.' }),
        fault.status as 503,
        {
          'Content-Type': 'application/json',
        },
      );
    }
    if (fault.html) return c.html(LOGIN_PAGE);
    if (fault.redirect !== undefined) return c.redirect(fault.redirect, 302);

    await next();
    if (fault.trickle_ms || fault.disconnect === 'mid-body') {
      await sendBadly(c.env.outgoing, c.res, fault);
      // Taken away first: Hono would merge the headers of an answer that is replaced into the new one, by a copy that
      // the server no longer knows as already sent.
      c.res = undefined;
      c.res = RESPONSE_ALREADY_SENT;
    }
    return undefined;
  };

/** Plays what concerns the content. Inside compression, so that a spoiled answer is compressed like an honest one. */
export const faultyContent: MiddlewareHandler<RegistryEnv> = async (c, next) => {
  await next();
  const { fault } = c.var;
  if (!c.res.ok || !(spoilsJson(fault) || fault.truncate)) return;
  let text = await c.res.text();
  if (spoilsJson(fault)) text = JSON.stringify(spoilJson(JSON.parse(text), fault));
  if (fault.truncate) text = text.slice(0, Math.floor(text.length / 2));
  c.res = new Response(text, { status: c.res.status, headers: { 'Content-Type': 'application/json' } });
};

/** Writes the answer past Hono: only the bare socket can stop in the middle of a body. */
const sendBadly = async (
  outgoing: HttpBindings['outgoing'],
  answer: Response,
  fault: Fault,
): Promise<void> => {
  const body = Buffer.from(await answer.arrayBuffer());
  outgoing.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'content-length': body.length });
  const end = fault.disconnect === 'mid-body' ? Math.floor(body.length / 2) : body.length;
  const step = fault.trickle_ms ? (fault.trickle_bytes ?? DEFAULT_TRICKLE_BYTES) : Math.max(1, end);
  for (let at = 0; at < end && !outgoing.destroyed; at += step) {
    await new Promise<void>((resolve) =>
      outgoing.write(body.subarray(at, Math.min(end, at + step)), () => resolve()),
    );
    if (fault.trickle_ms) await pause(fault.trickle_ms, outgoing);
  }
  if (fault.disconnect === 'mid-body') outgoing.socket?.resetAndDestroy();
  else outgoing.end();
};

/** Ends early when the client hangs up, so that a closed server has no timer left over. */
const pause = async (ms: number, outgoing: HttpBindings['outgoing']): Promise<void> => {
  const hungUp = new AbortController();
  const abort = (): void => hungUp.abort();
  outgoing.once('close', abort);
  await sleep(ms, undefined, { signal: hungUp.signal }).catch(() => {});
  outgoing.off('close', abort);
};
