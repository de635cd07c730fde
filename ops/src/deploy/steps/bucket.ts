import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bucketResource, planBucket } from '../bucket-lifecycle.ts';
import { type DeployContext, inProject } from '../context.ts';
import { readJson } from '../read-json.ts';
import type { Step } from '../run-steps.ts';

/** Versioning, the lifecycle of older versions, and no public access. */
export const bucket = (context: DeployContext): Step => ({
  name: 'bucket',
  remedy:
    'The functions are as before. A bucket that is not there is made as docs/deploy.md says; a change that is refused needs roles/storage.admin on it.',
  run: async () => {
    const { config } = await context.settings();
    const address = `gs://${config.bucket}`;
    const args = ['storage', 'buckets', 'describe', address, '--raw', ...inProject(context), '--format=json'];
    const answer = await context.shell.tryRead('gcloud', args);
    if (answer === null) throw new Error(`There is no ${address}.`);
    const plan = planBucket(readJson(bucketResource, answer, address), config.rosterObject);
    if (plan.faults.length === 0) return { state: 'unchanged' };
    await withLifecycleFile(plan.lifecycle, (flags) =>
      context.shell.change('gcloud', [
        'storage',
        'buckets',
        'update',
        address,
        ...plan.flags,
        ...flags,
        ...inProject(context),
      ]),
    );
    return { state: 'done', notes: plan.faults };
  },
});

const withLifecycleFile = async (
  rule: readonly unknown[] | null,
  use: (flags: readonly string[]) => Promise<void>,
): Promise<void> => {
  if (rule === null) return use([]);
  const folder = await mkdtemp(join(tmpdir(), 'lifecycle-'));
  try {
    const file = join(folder, 'lifecycle.json');
    await writeFile(file, JSON.stringify({ rule }));
    await use([`--lifecycle-file=${file}`]);
  } finally {
    await rm(folder, { recursive: true });
  }
};
