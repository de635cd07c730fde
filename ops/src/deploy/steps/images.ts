import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { REGION } from '../../../../functions/src/settings.ts';
import { type DeployContext, inProject } from '../context.ts';
import { readJson } from '../read-json.ts';
import type { Step } from '../run-steps.ts';

/** Where Cloud Functions keeps what it builds. */
const REPOSITORY = 'gcf-artifacts';
const DAYS_KEPT = 90;
const VERSIONS_KEPT = 10;

/**
 * Of each function the newest ten images stay, and what is younger than 90 days: a rollback goes back to a revision whose
 * image must still be there. Without a policy `firebase deploy` fails after it has deployed, and with `--force` it makes one
 * that deletes images after a day; a policy of another name it leaves alone.
 */
const POLICY = [
  {
    name: 'delete-old-images',
    action: { type: 'Delete' },
    condition: { tagState: 'any', olderThan: `${DAYS_KEPT}d` },
  },
  { name: 'keep-for-rollback', action: { type: 'Keep' }, mostRecentVersions: { keepCount: VERSIONS_KEPT } },
];

const repository = z.object({
  cleanupPolicies: z.record(z.string(), z.unknown()).default({}),
});

/** Before the functions, which look for it at their end. */
export const images = (context: DeployContext): Step => ({
  name: 'images',
  remedy:
    'The functions are as before. Making the repository or its policy needs roles/artifactregistry.admin.',
  run: async () => {
    const place = [`--location=${REGION}`, ...inProject(context)];
    const args = ['artifacts', 'repositories', 'describe', REPOSITORY, ...place, '--format=json'];
    const answer = await context.shell.tryRead('gcloud', args);
    if (answer === null) {
      await context.shell.change('gcloud', [
        ...['artifacts', 'repositories', 'create', REPOSITORY, '--repository-format=docker', ...place],
        '--description=Images of Cloud Functions',
      ]);
    } else {
      const { cleanupPolicies } = readJson(repository, answer, REPOSITORY);
      if (POLICY.every(({ name }) => name in cleanupPolicies)) return { state: 'unchanged' };
    }
    const folder = await mkdtemp(join(tmpdir(), 'images-'));
    try {
      const file = join(folder, 'policy.json');
      await writeFile(file, JSON.stringify(POLICY));
      await context.shell.change('gcloud', [
        ...[
          'artifacts',
          'repositories',
          'set-cleanup-policies',
          REPOSITORY,
          `--policy=${file}`,
          '--no-dry-run',
        ],
        ...place,
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
    return {
      state: 'done',
      notes: [`images stay for ${DAYS_KEPT} days, and the newest ${VERSIONS_KEPT} for good`],
    };
  },
});
