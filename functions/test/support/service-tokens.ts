import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Hono } from 'hono';
import { sign } from 'hono/jwt';
import { serveOnLoopback } from '../../../local/src/loopback.ts';

/** Google's longest lifetime of an ID token of a service account. */
const LIFETIME_SECONDS = 3600;
const PEM_PATH = '/oauth2/v1/certs';

export interface ServiceTokens {
  /** For `new OAuth2Client({ endpoints })` of google-auth-library, in place of Google's own address. */
  readonly endpoints: { readonly oauth2FederatedSignonPemCertsUrl: string };
  /**
   * An ID token as Google signs it for a service account: RS256, with the key id of the served key. The audience is the
   * URL that is called, as Cloud Run expects it.
   */
  mintServiceToken(token: { readonly email: string; readonly audience: string }): Promise<string>;
  close(): Promise<void>;
}

/**
 * A signer of Google-style OIDC tokens with a key of its own, made at the start, and the address that gives its public
 * key. Google's PEM is an X.509 certificate and this one a bare public key; Node's verifier takes both.
 */
export const startServiceTokens = async (): Promise<ServiceTokens> => {
  const kid = randomUUID();
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const signingKey = { ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256' };
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();

  const app = new Hono();
  app.get(PEM_PATH, (context) => context.json({ [kid]: pem }));
  const server = await serveOnLoopback(app.fetch, 0);

  return {
    endpoints: { oauth2FederatedSignonPemCertsUrl: server.url + PEM_PATH },
    mintServiceToken: ({ email, audience }) => {
      const issuedAt = Math.floor(Date.now() / 1000);
      const subject = `local-${email}`;
      const payload = {
        iss: 'https://accounts.google.com',
        aud: audience,
        azp: subject,
        sub: subject,
        email,
        email_verified: true,
        iat: issuedAt,
        exp: issuedAt + LIFETIME_SECONDS,
      };
      return sign(payload, signingKey, 'RS256');
    },
    close: server.close,
  };
};
