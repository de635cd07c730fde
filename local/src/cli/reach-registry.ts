import { once } from 'node:events';
import { connect } from 'node:net';

const LIMIT_MS = 5_000;

/**
 * Asks the registry of `--django` once, before anything is started: a wrong address or token is said in seconds. What
 * else is wrong with it, slowness too, the run says itself, as in production.
 * @throws Error that names the option to change.
 */
export const assertRegistryAnswers = async (url: string, token: string, scheme = 'Token'): Promise<void> => {
  const { origin, hostname, port, protocol } = new URL(url);
  const unreachable = (cause: unknown): Error =>
    new Error(`No registry answers at ${origin} (${reasonOf(cause)}). Check the address of --django.`, {
      cause,
    });
  const limit = { signal: AbortSignal.timeout(LIMIT_MS) };
  const socket = connect(
    Number(port) || (protocol === 'https:' ? 443 : 80),
    hostname.replace(/^\[|\]$/g, ''),
  );
  try {
    await once(socket, 'connect', limit);
  } catch (cause) {
    throw unreachable(cause);
  } finally {
    socket.destroy();
  }
  try {
    const answer = await fetch(`${url.replace(/\/$/, '')}/api/sync/status/`, {
      headers: { authorization: `${scheme} ${token}`, accept: 'application/json' },
      redirect: 'manual',
      ...limit,
    });
    await answer.body?.cancel();
    if (answer.status !== 401 && answer.status !== 403) return;
    throw new RefusedToken(origin, answer.status);
  } catch (cause) {
    if (cause instanceof RefusedToken) throw cause;
    if ((cause as Error).name !== 'TimeoutError') throw unreachable(cause);
  }
};

class RefusedToken extends Error {
  constructor(origin: string, status: number) {
    super(`The registry at ${origin} refuses the token (${status}). Check --token and DJANGO_AUTH_SCHEME.`);
  }
}

const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return 'unknown error';
  if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return `nothing in ${LIMIT_MS / 1_000} s`;
  const { code } = (cause.cause ?? cause) as NodeJS.ErrnoException;
  return code ?? cause.name;
};
