import { OAuth2Client } from 'google-auth-library';
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

  it('for another audience is refused', async () => {
    const token = await signer.mintServiceToken({ email: EMAIL, audience: 'https://example.com' });
    await expect(verify(token)).rejects.toThrow(/Wrong recipient/);
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
