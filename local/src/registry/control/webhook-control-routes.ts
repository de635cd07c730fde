import type { Hono } from 'hono';
import { z } from 'zod';
import type { RegistryEnv } from '../http/env.ts';
import { withoutAbsent } from '../members/without-absent.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import { ControlError } from './control-error.ts';
import { bodyOf } from './control-routes.ts';
import type { Controls } from './controls.ts';

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
