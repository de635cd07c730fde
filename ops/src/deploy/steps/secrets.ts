import { type DeployContext, inProject } from '../context.ts';
import type { Step } from '../run-steps.ts';

/** Each secret that the settings name has an enabled version. Values are not read. */
export const secrets = (context: DeployContext): Step => ({
  name: 'secrets',
  remedy: 'Nothing was changed. Make them as docs/deploy.md, step 5, says.',
  run: async () => {
    const names = (await context.settings()).secrets;
    const states = await Promise.all(
      names.map(async (name) => ({ name, versions: await versionsOf(context, name) })),
    );
    const faults = states.flatMap(({ name, versions }) => {
      if (versions === null) return [`${name} does not exist`];
      return versions.length === 0 ? [`${name} has no enabled version`] : [];
    });
    if (faults.length > 0) throw new Error(faults.join('; '));
    return { state: 'checked', notes: [names.join(', ')] };
  },
});

const versionsOf = async (context: DeployContext, name: string): Promise<string[] | null> => {
  const args = [
    'secrets',
    'versions',
    'list',
    name,
    ...inProject(context),
    '--filter=state=ENABLED',
    '--format=value(name)',
  ];
  const answer = await context.shell.tryRead('gcloud', args);
  return answer === null ? null : answer.split('\n').filter((line) => line !== '');
};
