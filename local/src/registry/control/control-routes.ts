import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { standingFault } from '../faults/fault.ts';
import { fieldErrors } from '../http/answers.ts';
import type { RegistryEnv } from '../http/env.ts';
import { memberPatch } from '../members/wire-member.ts';
import { withoutAbsent } from '../members/without-absent.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import { ControlError } from './control-error.ts';
import { burstRequest, type Controls } from './controls.ts';
import { loopbackOnly } from './loopback-only.ts';

const tokenRequest = z.strictObject({ token: z.string().min(1) });
const companionRequest = z.strictObject({ installed: z.boolean() });

/** `/_control/…`: the same switches as in-process, as JSON over HTTP. Mistakes answer `{"error": "…"}`. */
export const makeControlRoutes = (controls: Controls): Hono<RegistryEnv> => {
  const app = new Hono<RegistryEnv>();
  app.use(loopbackOnly);

  app.get('/status', (c) => c.json(controls.summary()));
  app.post('/reset', (c) => {
    controls.reset();
    return c.json(controls.summary());
  });

  app.get('/members/random', (c) => c.json({ id: controls.randomMember() }));
  app.get('/members/:id', (c) => c.json(controls.member(idOf(c))));
  app.post('/members', async (c) => c.json(controls.createMember(await bodyOf(c, memberPatch)), 201));
  app.patch('/members/:id', async (c) => {
    const patch = await bodyOf(c, memberPatch);
    return c.json(controls.updateMember(idOf(c), Object.keys(patch).length > 0 ? patch : undefined));
  });
  app.delete('/members/:id', (c) => c.json(controls.deleteMember(idOf(c))));
  app.post('/members/:id/restore', async (c) =>
    c.json(controls.restoreMember(idOf(c), await bodyOf(c, memberPatch)), 201),
  );
  app.post('/burst', async (c) => {
    const request = await bodyOf(c, burstRequest);
    // The caller has its answer; what ends a burst early (no member is left) is told to whoever watches the terminal.
    controls.burst(request).catch((error: unknown) => console.error('The burst ended early:', error));
    return c.json({ planned: request.count, seconds: request.seconds }, 202);
  });

  app.get('/faults', (c) => c.json({ faults: controls.faults() }));
  app.post('/faults', async (c) => {
    controls.addFault(await bodyOf(c, standingFault));
    return c.json({ faults: controls.faults() }, 201);
  });
  app.delete('/faults', (c) => {
    controls.clearFaults();
    return c.json({ faults: [] });
  });
  app.post('/token', async (c) => {
    controls.acceptToken((await bodyOf(c, tokenRequest)).token);
    return c.json({ success: true });
  });
  app.post('/companion', async (c) => {
    controls.setCompanion((await bodyOf(c, companionRequest)).installed);
    return c.json(controls.summary());
  });
  addWebhookControls(app, controls);

  app.all('*', (c) => c.json({ error: 'There is no such control; the README lists them.' }, 404));
  app.onError((error, c) => {
    if (error instanceof ControlError) return c.json({ error: error.message }, error.status);
    if (error instanceof z.ZodError) return c.json({ error: 'wrong body', issues: fieldErrors(error) }, 400);
    throw error;
  });
  return app;
};

/** The request's JSON under a schema; no body at all counts as `{}`. Throws ControlError or ZodError. */
export const bodyOf = async <S extends z.ZodType>(
  c: Context<RegistryEnv>,
  schema: S,
): Promise<z.output<S>> => {
  const text = await c.req.text();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new ControlError(400, 'The body is not JSON.');
  }
  return schema.parse(body);
};

const idOf = (c: Context<RegistryEnv>): number => {
  const text = c.req.param('id') ?? '';
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new ControlError(404, 'A member is named by its id, a whole number from 1.');
  return Number(text);
};

const share = z.number().min(0).max(1).optional();

const webhookRequest = z.strictObject({
  drop: share,
  duplicate: share,
  reorder: share,
  reorder_delay_ms: z.number().int().min(0).max(60_000).optional(),
  /** Every attempt fails, unsent, for so long; 0 ends it. */
  fail_seconds: z.number().min(0).max(86_400).optional(),
  paused: z.boolean().optional(),
  url: z.url().optional(),
  /** Replaces the secrets; several sign at once, for a rotation. */
  secrets: z.array(z.string().min(1)).min(1).optional(),
});

/** `/_control/webhooks`: what was sent, and how the deliveries misbehave. */
export const addWebhookControls = (app: Hono<RegistryEnv>, controls: Controls): void => {
  app.get('/webhooks', (c) => c.json(deliveriesOf(controls).stats()));
  app.post('/webhooks', async (c) => {
    const webhooks = deliveriesOf(controls);
    const { fail_seconds, paused, url, secrets, ...mischief } = await bodyOf(c, webhookRequest);
    webhooks.misbehave(withoutAbsent(mischief));
    webhooks.retarget(withoutAbsent({ url, secrets }));
    if (fail_seconds !== undefined) webhooks.failFor(fail_seconds * 1000);
    if (paused === true) webhooks.pause();
    if (paused === false) webhooks.resume();
    return c.json(webhooks.stats());
  });
};

const deliveriesOf = (controls: Controls): Deliveries => {
  if (controls.webhooks) return controls.webhooks;
  throw new ControlError(409, 'The registry was started without a webhook address, so it sends none.');
};
