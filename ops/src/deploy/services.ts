import { z } from 'zod';
import { readJson } from './read-json.ts';
import type { Shell } from './shell.ts';

/** Of a Cloud Run service, what serves its requests. */
const service = z.object({
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

export interface ServicePlace {
  readonly project: string;
  readonly region: string;
  readonly name: string;
}

/** The arguments that say which service is meant, but its name. */
export const placeFlags = ({ project, region }: Omit<ServicePlace, 'name'>): readonly string[] => [
  `--region=${region}`,
  `--project=${project}`,
];

/** Null when there is no such service. */
export const tryReadService = async (
  shell: Pick<Shell, 'tryRead'>,
  place: ServicePlace,
): Promise<Service | null> => {
  const args = ['run', 'services', 'describe', place.name, ...placeFlags(place), '--format=json'];
  const answer = await shell.tryRead('gcloud', args);
  return answer === null ? null : readJson(service, answer, `the service ${place.name}`);
};

/** Whether the next deployment will serve by itself. */
export const servesNewest = ({ status }: Service): boolean =>
  status.traffic.some(({ latestRevision, percent }) => latestRevision === true && percent === 100);

/** The revision that answers everything; null when several share the requests. */
export const servingRevision = ({ status }: Service): string | null =>
  status.traffic.find(({ percent }) => percent === 100)?.revisionName ?? null;
