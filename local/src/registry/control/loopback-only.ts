import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import type { RegistryEnv } from '../http/env.ts';

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const LOOPBACK_HOST = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/;

/**
 * The control API takes no token, so only programs on this machine may use it. A web page in a browser on this machine
 * is not such a program: it is known by its Origin, or by a Host name that was pointed at 127.0.0.1.
 */
export const loopbackOnly: MiddlewareHandler<RegistryEnv> = async (c, next) => {
  const origin = c.req.header('origin');
  const fromHere =
    LOOPBACK.test(getConnInfo(c).remote.address ?? '') &&
    LOOPBACK_HOST.test(new URL(c.req.url).hostname) &&
    (origin === undefined || (URL.canParse(origin) && LOOPBACK_HOST.test(new URL(origin).hostname)));
  if (!fromHere) return c.json({ error: 'The control API answers on this machine only.' }, 403);
  await next();
  return undefined;
};
