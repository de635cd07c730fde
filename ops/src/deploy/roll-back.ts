import { z } from 'zod';
import type { DeployContext } from './context.ts';
import { serviceOf } from './deployed-functions.ts';
import { lastDeploymentBegan, type Move, planRollback, type ServiceRevisions } from './plan-rollback.ts';
import { readJson } from './read-json.ts';
import { placeFlags, readServices, servingRevision } from './services.ts';

type RollbackContext = Pick<DeployContext, 'shell' | 'functions' | 'say'> & {
  readonly options: Pick<DeployContext['options'], 'project'> & { readonly before: Date | null };
};

/** What Cloud Run writes on a revision. */
const SERVICE_LABEL = 'serving.knative.dev/service';

const revisionList = z.array(
  z.object({
    metadata: z.object({
      name: z.string(),
      creationTimestamp: z.iso.datetime({ offset: true }),
      labels: z.record(z.string(), z.string()),
    }),
    status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
  }),
);

/**
 * Lets every function of the last deployment be answered by the revision before it. All services are read before the
 * first one is changed. Throws `CommandFailed`; what was moved until then is moved, and a repetition does the rest.
 */
export const rollBack = async (context: RollbackContext): Promise<readonly Move[]> => {
  const services = await readRevisions(context);
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
  { options, shell }: RollbackContext,
  { function: name, to }: Extract<Move, { kind: 'move' }>,
): Promise<void> =>
  shell.change('gcloud', [
    'run',
    'services',
    'update-traffic',
    serviceOf(name),
    `--to-revisions=${to}=100`,
    ...placeFlags(options),
  ]);

/** What each function has. One that was never deployed has neither a service nor revisions. */
const readRevisions = async ({
  options,
  shell,
  functions,
}: RollbackContext): Promise<readonly ServiceRevisions[]> => {
  const services = await readServices(shell, options);
  const args = ['run', 'revisions', 'list', ...placeFlags(options), '--format=json'];
  const all = readJson(revisionList, await shell.read('gcloud', args), 'the revisions');
  return functions.map(({ name }) => {
    const service = services.get(serviceOf(name));
    return {
      function: name,
      serving: service === undefined ? null : servingRevision(service),
      revisions: all
        .filter(({ metadata: { labels } }) => labels[SERVICE_LABEL] === serviceOf(name))
        .map(({ metadata, status }) => ({
          name: metadata.name,
          createdAt: new Date(metadata.creationTimestamp),
          isReady: status.conditions.some(
            (condition) => condition.type === 'Ready' && condition.status === 'True',
          ),
        })),
    };
  });
};
