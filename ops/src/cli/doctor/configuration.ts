import { isSyncError } from '../../../../functions/src/lib/errors.ts';
import { parseConfig } from '../../../../functions/src/settings.ts';
import { readDeployedFunctions } from '../../deploy/deployed-functions.ts';
import { bad, type Check, type Finding, faultsOr, type ProjectContext } from './check.ts';

/** Every function of this source tree is deployed and active, and its settings are ones that it starts with. */
export const checkConfiguration: Check<ProjectContext> = async ({ deployment }) => {
  const deployed = await deployment.functions();
  const expected = await readDeployedFunctions();
  const deploy = `npm run deploy -- --project ${deployment.project}`;
  const faults: Finding[] = [];
  for (const { name } of expected) {
    const found = deployed.find((one) => one.name === name);
    if (found === undefined) faults.push(bad(`${name} is not deployed`, deploy));
    else if (found.state !== 'ACTIVE') faults.push(bad(`${name} is ${found.state}, not ACTIVE`, deploy));
  }
  const messages = new Map<string, string[]>();
  for (const { name, environment } of deployed) {
    const fault = faultOf({ ...environment, GCLOUD_PROJECT: deployment.project });
    if (fault !== null) messages.set(fault, [...(messages.get(fault) ?? []), name]);
  }
  for (const [message, names] of messages) {
    faults.push(
      bad(`${names.join(', ')}: ${message}`, `edit functions/.env.${deployment.project}, then ${deploy}`),
    );
  }
  return faultsOr(faults, `${expected.length} functions are active and their settings are valid`);
};

const faultOf = (environment: Readonly<Record<string, string>>): string | null => {
  try {
    parseConfig(environment);
    return null;
  } catch (cause) {
    if (isSyncError(cause, 'config_invalid')) return cause.message;
    throw cause;
  }
};
