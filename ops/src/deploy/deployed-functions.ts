import { Expression } from 'firebase-functions/params';
import { REGION } from '../../../functions/src/settings.ts';
import type { FunctionEndpoint } from '../../../local/src/functions/endpoint.ts';
import { discoverFunctions } from '../../../local/src/functions/endpoint.ts';

export type DeployedFunction = FunctionEndpoint & {
  /** The name of the service account that the source gives it, without the project; null: the project's default one. */
  readonly account: string | null;
};

/** Every function that `firebase deploy` would deploy, from the same manifests that it reads. */
export const readDeployedFunctions = async (): Promise<readonly DeployedFunction[]> => {
  const found = discoverFunctions(await import('../../../functions/src/index.ts'));
  return found.map(({ name, endpoint, handler }) => {
    if (endpoint === null) throw new Error(`${name} is a function with a trigger unknown here.`);
    return { ...endpoint, account: accountOf(handler) };
  });
};

const accountOf = (handler: object): string | null => {
  const manifest = '__endpoint' in handler ? handler.__endpoint : null;
  if (typeof manifest !== 'object' || manifest === null || !('serviceAccountEmail' in manifest)) return null;
  const { serviceAccountEmail: email } = manifest;
  const written = email instanceof Expression ? email.toCEL() : email;
  return typeof written === 'string' ? (/^([^@]+)@/.exec(written)?.[1] ?? null) : null;
};

/** The Cloud Run service behind a function of the second generation. */
export const serviceOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** Cloud Scheduler's job, by the name that the Firebase command line gives it. */
export const jobOf = (name: string): string => `firebase-schedule-${name}-${REGION}`;

/** Where the functions of a project answer. */
export const functionsUrl = (project: string): string => `https://${REGION}-${project}.cloudfunctions.net`;
