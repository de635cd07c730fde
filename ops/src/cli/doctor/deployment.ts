import { z } from 'zod';
import { type Config, parseConfig } from '../../../../functions/src/settings.ts';
import { type Gcloud, gcloudJson } from '../gcloud.ts';
import { OpsError } from '../ops-error.ts';
import { REGION } from '../places.ts';

/** One deployed function, as `gcloud functions list` has it. */
export interface DeployedFunction {
  readonly name: string;
  readonly state: string;
  readonly url: string | null;
  readonly serviceAccount: string | null;
  readonly environment: Readonly<Record<string, string>>;
}

/** What is deployed in one project; asked for once, by whoever needs it first. All throw OpsError, `config` SyncError too. */
export interface Deployment {
  readonly project: string;
  functions(): Promise<readonly DeployedFunction[]>;
  /** The settings of the deployed functions, as they stand there. */
  settings(): Promise<Readonly<Record<string, string>>>;
  /** The same, held to the same rules as at their start. */
  config(): Promise<Config>;
}

const functionList = z.array(
  z.looseObject({
    name: z.string(),
    state: z.string().default('UNKNOWN'),
    url: z.string().optional(),
    serviceConfig: z
      .looseObject({
        uri: z.string().optional(),
        serviceAccountEmail: z.string().optional(),
        environmentVariables: z.record(z.string(), z.string()).default({}),
      })
      .optional(),
  }),
);

export const readDeployment = (project: string, gcloud: Gcloud): Deployment => {
  let listed: Promise<readonly DeployedFunction[]> | undefined;
  const functions = () => {
    listed ??= listFunctions(project, gcloud);
    return listed;
  };
  const settings = async () => {
    const [any] = await functions();
    if (any === undefined) throw new OpsError(`No function is deployed in ${REGION} of ${project}.`);
    return any.environment;
  };
  return {
    project,
    functions,
    settings,
    config: async () => parseConfig({ ...(await settings()), GCLOUD_PROJECT: project }),
  };
};

const listFunctions = async (project: string, gcloud: Gcloud): Promise<readonly DeployedFunction[]> => {
  const found = await gcloudJson(gcloud, ['functions', 'list', '--project', project], functionList);
  const inRegion = new RegExp(`/locations/${REGION}/functions/([^/]+)$`);
  return found.flatMap(({ name, state, url, serviceConfig }) => {
    const short = inRegion.exec(name)?.[1];
    if (short === undefined) return [];
    return [
      {
        name: short,
        state,
        url: url ?? serviceConfig?.uri ?? null,
        serviceAccount: serviceConfig?.serviceAccountEmail ?? null,
        environment: serviceConfig?.environmentVariables ?? {},
      },
    ];
  });
};
