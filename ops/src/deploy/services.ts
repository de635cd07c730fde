import { z } from 'zod';
import { REGION } from '../../../functions/src/settings.ts';
import type { DeployContext } from './context.ts';
import { readJson } from './read-json.ts';
import type { Shell } from './shell.ts';

/** Of a Cloud Run service, what serves its requests. */
const service = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({
    traffic: z
      .array(
        z.object({
          revisionName: z.string().optional(),
          percent: z.number().optional(),
          latestRevision: z.boolean().optional(),
        }),
      )
      .default([]),
  }),
});
export type Service = z.output<typeof service>;

export type Place = Pick<DeployContext['options'], 'project'>;

/** The arguments that say where services are. */
export const placeFlags = ({ project }: Place): readonly string[] => [
  `--region=${REGION}`,
  `--project=${project}`,
];

/** Every service of the project in our region, by its name: one question, since each takes `gcloud` a second or more. */
export const readServices = async (
  shell: Pick<Shell, 'read'>,
  place: Place,
): Promise<ReadonlyMap<string, Service>> => {
  const args = ['run', 'services', 'list', ...placeFlags(place), '--format=json'];
  const found = readJson(z.array(service), await shell.read('gcloud', args), 'the services');
  return new Map(found.map((one) => [one.metadata.name, one]));
};

/** Whether the next deployment will serve by itself. */
export const servesNewest = ({ status }: Service): boolean =>
  status.traffic.some(({ latestRevision, percent }) => latestRevision === true && percent === 100);

/** The revision that answers everything; null when several share the requests. */
export const servingRevision = ({ status }: Service): string | null =>
  status.traffic.find(({ percent }) => percent === 100)?.revisionName ?? null;
