import type { MiddlewareHandler } from 'hono';
import { detail } from './answers.ts';
import type { RegistryEnv } from './env.ts';

export interface AcceptedToken {
  readonly scheme: 'Token' | 'Bearer';
  readonly token: string;
}

/** Django REST framework's TokenAuthentication: 401 with `WWW-Authenticate` for a missing and for a wrong token. */
export const tokenAuth =
  (accepted: () => AcceptedToken): MiddlewareHandler<RegistryEnv> =>
  async (c, next) => {
    const { scheme, token } = accepted();
    const [givenScheme, given, ...rest] = (c.req.header('authorization') ?? '').split(' ');
    const missing = givenScheme?.toLowerCase() !== scheme.toLowerCase();
    if (missing || given !== token || rest.length > 0) {
      c.header('WWW-Authenticate', scheme);
      return detail(c, 401, missing ? 'Authentication credentials were not provided.' : 'Invalid token.');
    }
    await next();
    return undefined;
  };
