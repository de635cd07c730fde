import { getConnInfo } from '@hono/node-server/conninfo';
import { createMiddleware } from 'hono/factory';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];

/** Whether an origin, such as `http://localhost:5000`, is a page that this machine serves. */
export function isLoopbackOrigin(origin: string): boolean {
  return LOOPBACK_NAMES.includes(URL.parse(origin)?.hostname ?? '');
}

/**
 * Whether a request comes from this machine, and from no page of a foreign site. The connection's address alone does not
 * tell: a page of any site that is open in the developer's browser connects from here too. So its `Origin` must be loopback,
 * and so must `Host`, which differs when a foreign name was made to resolve to 127.0.0.1.
 */
export const isLocalCall = (call: {
  readonly address: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}): boolean =>
  call.address !== undefined &&
  LOOPBACK_ADDRESSES.includes(call.address) &&
  isLoopbackOrigin(`http://${call.host}`) &&
  (call.origin === undefined || isLoopbackOrigin(call.origin));

/** Refuses (403) what is no local call. */
export const onlyLoopback = createMiddleware(async (context, next) => {
  const { address } = getConnInfo(context).remote;
  const isLocal = isLocalCall({
    address,
    host: context.req.header('host'),
    origin: context.req.header('origin'),
  });
  if (!isLocal) return context.json({ error: 'served to this machine only' }, 403);
  return next();
});
