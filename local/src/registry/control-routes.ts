import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { onlyLoopback } from '../loopback.ts';
import type { Controls } from './controls.ts';
import { standingFault } from './faults.ts';
import type { RegistryEnv } from './faulty-answers.ts';
import { refusedControl } from './state.ts';
import { memberPatch } from './wire-member.ts';

/**
 * `/_control/…`: what a person turns, as JSON over HTTP; mistakes answer `{"error": "…"}`. It takes no token, so only
 * programs on this machine may use it, and no web page of another origin.
 */
export const makeControlRoutes = (controls: Controls): Hono<RegistryEnv> => {
  const app = new Hono<RegistryEnv>();
  app.use(onlyLoopback);

  app.get('/status', (c) => c.json(controls.summary()));
  app.get('/members/random', (c) => c.json({ id: controls.randomMember() }));
  app.get('/members/:id', (c) => c.json(controls.member(idOf(c))));
  app.post('/members', async (c) => c.json(controls.createMember(await bodyOf(c, memberPatch)), 201));
  app.patch('/members/:id', async (c) => {
    const patch = await bodyOf(c, memberPatch);
    return c.json(controls.updateMember(idOf(c), Object.keys(patch).length > 0 ? patch : undefined));
  });
  app.delete('/members/:id', (c) => c.json(controls.deleteMember(idOf(c))));

  const faults = () => ({ faults: controls.summary().faults });
  app.get('/faults', (c) => c.json(faults()));
  app.post('/faults', async (c) => {
    controls.addFault(await bodyOf(c, standingFault));
    return c.json(faults(), 201);
  });
  app.delete('/faults', (c) => {
    controls.clearFaults();
    return c.json(faults());
  });

  app.all('*', (c) => c.json({ error: 'There is no such control; the README lists them.' }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    if (error instanceof z.ZodError) return c.json({ error: z.prettifyError(error) }, 400);
    throw error;
  });
  return app;
};

/** The request's JSON under a schema; no body at all counts as `{}`. Throws HTTPException or ZodError. */
const bodyOf = async <S extends z.ZodType>(c: Context<RegistryEnv>, schema: S): Promise<z.output<S>> => {
  const text = (await c.req.text()) || '{}';
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw error instanceof SyntaxError ? refusedControl(400, 'The body is not JSON.') : error;
  }
};

const idOf = (c: Context<RegistryEnv>): number => {
  const text = c.req.param('id') ?? '';
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw refusedControl(404, 'A member is named by its id, a whole number from 1.');
};
