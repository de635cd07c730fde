import { OAuth2Client } from 'google-auth-library';
import { verifyWithJwks } from 'hono/jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServiceTokens, startServiceTokens } from '../../src/auth/service-tokens.ts';

const AUDIENCE = 'https://europe-west2-demo.cloudfunctions.net/sync';
const EMAIL = 'scheduler@demo.iam.gserviceaccount.com';
let signer: ServiceTokens;
let client: OAuth2Client;

beforeAll(async () => {
  signer = await startServiceTokens();
  client = new OAuth2Client({ endpoints: signer.endpoints });
});
afterAll(() => signer.close());

const verify = (idToken: string) => client.verifyIdToken({ idToken, audience: AUDIENCE });

describe('a service token', () => {
  it('is verified by google-auth-library from the served PEM', async () => {
    const ticket = await verify(await signer.mintServiceToken({ email: EMAIL, audience: AUDIENCE }));
    expect(ticket.getPayload()).toMatchObject({ email: EMAIL, email_verified: true, aud: AUDIENCE });
  });

  it('is verified from the served JWK', async () => {
    const token = await signer.mintServiceToken({ email: EMAIL, audience: AUDIENCE });
    const jwks_uri = signer.endpoints.oauth2FederatedSignonJwkCertsUrl;
    expect(await verifyWithJwks(token, { jwks_uri, allowedAlgorithms: ['RS256'] })).toMatchObject({
      email: EMAIL,
    });
  });

  it.each([
    ['another audience', { audience: 'https://example.com' }, /Wrong recipient/],
    ['another issuer', { issuer: 'https://example.com' }, /Invalid issuer/],
    ['a time long past', { issuedAt: 1_700_000_000 }, /used too late/],
    ['a lifetime of days', { lifetimeSeconds: 1_000_000 }, /too far in future/],
  ])('with %s is refused', async (_title, changes, reason) => {
    const token = await signer.mintServiceToken({ email: EMAIL, audience: AUDIENCE, ...changes });
    await expect(verify(token)).rejects.toThrow(reason);
  });

  it('of another signer is refused, also under our key’s id', async () => {
    const other = await startServiceTokens();
    const foreign = await other.mintServiceToken({ email: EMAIL, audience: AUDIENCE });
    await other.close();
    await expect(verify(foreign)).rejects.toThrow(/No pem found/);
    const [ourHeader] = (await signer.mintServiceToken({ email: EMAIL, audience: AUDIENCE })).split('.');
    const [, payload, signature] = foreign.split('.');
    await expect(verify(`${ourHeader}.${payload}.${signature}`)).rejects.toThrow(/Invalid token signature/);
  });
});
