import { z } from 'zod';
import { REGION } from '../../../functions/src/settings.ts';
import type { DeployContext } from './context.ts';
import { type DeployedFunction, serviceOf } from './deployed-functions.ts';
import { lastDeploymentBegan, type Move, planRollback, type ServiceRevisions } from './plan-rollback.ts';
import { readJson } from './read-json.ts';
import { placeFlags, servingRevision, tryReadService } from './services.ts';

type RollbackContext = Pick<DeployContext, 'shell' | 'functions' | 'say'> & {
  readonly options: Pick<DeployContext['options'], 'project'> & { readonly before: Date | null };
};

const revisionList = z.array(
  z.object({
    metadata: z.object({ name: z.string(), creationTimestamp: z.iso.datetime({ offset: true }) }),
    status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
  }),
);

/**
 * Lets every function of the last deployment be answered by the revision before it. All services are read before the
 * first one is changed. Throws `CommandFailed`; what was moved until then is moved, and a repetition does the rest.
 */
export const rollBack = async (context: RollbackContext): Promise<readonly Move[]> => {
  const services: ServiceRevisions[] = [];
  for (const deployed of context.functions) services.push(await readRevisions(context, deployed));
  const before = context.options.before ?? lastDeploymentBegan(services);
  if (before === null) throw new Error('Nothing is deployed.');
  context.say(`Back to before ${before.toISOString()}`);
  const moves = planRollback(services, before);
  for (const move of moves) {
    context.say(`  ${move.function}: ${describe(move)}`);
    if (move.kind === 'move') await apply(context, move);
  }
  return moves;
};

const describe = (move: Move): string => {
  switch (move.kind) {
    case 'move':
      return `to ${move.to}`;
    case 'there':
      return `serves ${move.to} already`;
    case 'untouched':
      return 'not part of the last deployment';
    case 'new':
      return 'has no older revision that works, and stays';
    default: {
      const never: never = move;
      return never;
    }
  }
};

const apply = (
  { functions, options, shell }: RollbackContext,
  { function: name, to }: Extract<Move, { kind: 'move' }>,
): Promise<void> => {
  const region = functions.find((deployed) => deployed.name === name)?.regions[0] ?? REGION;
  return shell.change('gcloud', [
    'run',
    'services',
    'update-traffic',
    serviceOf(name),
    `--to-revisions=${to}=100`,
    ...placeFlags({ project: options.project, region }),
  ]);
};

/** A function that was never deployed has neither a service nor revisions. */
const readRevisions = async (
  { options, shell }: RollbackContext,
  { name, regions: [region] }: DeployedFunction,
): Promise<ServiceRevisions> => {
  const place = { project: options.project, region, name: serviceOf(name) };
  const service = await tryReadService(shell, place);
  if (service === null) return { function: name, serving: null, revisions: [] };
  const args = ['run', 'revisions', 'list', `--service=${place.name}`, ...placeFlags(place), '--format=json'];
  const revisions = readJson(
    revisionList,
    await shell.read('gcloud', args),
    `the revisions of ${place.name}`,
  );
  return {
    function: name,
    serving: servingRevision(service),
    revisions: revisions.map(({ metadata, status }) => ({
      name: metadata.name,
      createdAt: new Date(metadata.creationTimestamp),
      isReady: status.conditions.some(
        (condition) => condition.type === 'Ready' && condition.status === 'True',
      ),
    })),
  };
};
