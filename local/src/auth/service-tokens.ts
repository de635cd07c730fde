import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Hono } from 'hono';
import { sign } from 'hono/jwt';
import { listen } from './listen.ts';

/** Google's longest lifetime of an ID token of a service account. */
const LIFETIME_SECONDS = 3600;

const PEM_PATH = '/oauth2/v1/certs';
const JWK_PATH = '/oauth2/v3/certs';

export interface StartServiceTokensOptions {
  readonly host?: string;
  /** A free one by default. */
  readonly port?: number;
}

export interface ServiceTokenOptions {
  /** The service account, such as the scheduler's or an operator's. */
  readonly email: string;
  /** The URL that is called, as Cloud Run expects it. */
  readonly audience: string;
  readonly emailVerified?: boolean;
  readonly issuer?: string;
  /** Unix seconds; now by default. */
  readonly issuedAt?: number;
  readonly lifetimeSeconds?: number;
}

export interface ServiceTokens {
  readonly url: string;
  readonly port: number;
  /** For `new OAuth2Client({ endpoints })` of google-auth-library, in place of Google's own addresses. */
  readonly endpoints: {
    readonly oauth2FederatedSignonPemCertsUrl: string;
    readonly oauth2FederatedSignonJwkCertsUrl: string;
  };
  /** An ID token as Google signs it for a service account: RS256, with the key id of the served key. */
  mintServiceToken(options: ServiceTokenOptions): Promise<string>;
  close(): Promise<void>;
}

/**
 * A signer of Google-style OIDC tokens with a key of its own, made at the start, and the addresses that give its
 * public key: `/oauth2/v3/certs` as JWK, `/oauth2/v1/certs` as PEM. Google's PEM is an X.509 certificate and this one
 * a bare public key; Node's verifier takes both.
 */
export async function startServiceTokens(options: StartServiceTokensOptions = {}): Promise<ServiceTokens> {
  const { host = '127.0.0.1', port = 0 } = options;
  const kid = randomUUID();
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const signingKey = { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256' };
  const served = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();

  const app = new Hono();
  app.get(JWK_PATH, (context) => context.json({ keys: [served] }));
  app.get(PEM_PATH, (context) => context.json({ [kid]: pem }));
  const server = await listen(app, host, port);

  return {
    url: server.url,
    port: server.port,
    endpoints: {
      oauth2FederatedSignonPemCertsUrl: server.url + PEM_PATH,
      oauth2FederatedSignonJwkCertsUrl: server.url + JWK_PATH,
    },
    mintServiceToken(token) {
      const issuedAt = token.issuedAt ?? Math.floor(Date.now() / 1000);
      const subject = `local-${token.email}`;
      const payload = {
        iss: token.issuer ?? 'https://accounts.google.com',
        aud: token.audience,
        azp: subject,
        sub: subject,
        email: token.email,
        email_verified: token.emailVerified ?? true,
        iat: issuedAt,
        exp: issuedAt + (token.lifetimeSeconds ?? LIFETIME_SECONDS),
      };
      return sign(payload, signingKey, 'RS256');
    },
    close: server.close,
  };
}
