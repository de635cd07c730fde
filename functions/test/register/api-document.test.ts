import { expect, it } from 'vitest';
import { makeScriptedApi } from './support/scripted-api.ts';

it('GET /openapi.json is the contract that callers have', async () => {
  const { status, body } = await makeScriptedApi().send('/openapi.json');
  expect(status).toBe(200);
  await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot(
    '../../../contract/register-api.openapi.json',
  );
});
