import type { LocalStack } from '../stack.ts';

/** Asks the operators' API as an administrator. */
export const callOperatorsApi = (stack: LocalStack, path: string, body: object): Promise<Response> => {
  const served = stack.functions.functions.find(({ name }) => name === 'opsApi');
  if (served === undefined) throw new Error('functions/lib does not export opsApi. Build it anew.');
  const token = stack.auth.mintIdToken({ uid: 'local-operator', claims: { roles: ['admin'] } });
  return fetch(served.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
};
