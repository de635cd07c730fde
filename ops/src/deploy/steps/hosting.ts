import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DeployContext } from '../context.ts';
import { deployWithFirebase } from '../deploy-with-firebase.ts';
import { ROOT } from '../root.ts';
import type { Step } from '../run-steps.ts';

/** After the functions, since the page calls them. */
export const hosting = (context: DeployContext): Step => ({
  name: 'hosting',
  remedy:
    'The functions are new and the page is the old one, which still works with them. Give the command again.',
  run: async () => {
    if (!(await hasPage())) return { state: 'skipped', notes: ['firebase.json or dashboard/ has no page'] };
    await context.shell.change('npm', ['run', 'build', '--workspace', 'dashboard', '--silent']);
    await deployWithFirebase(context, 'hosting');
    return { state: 'done' };
  },
});

const hasPage = async (): Promise<boolean> => {
  const read = (path: string) => readFile(join(ROOT, path), 'utf8').catch(() => '{}');
  const isHosted = z.object({ hosting: z.unknown() }).safeParse(JSON.parse(await read('firebase.json')));
  const isBuilt = z
    .object({ scripts: z.object({ build: z.string() }) })
    .safeParse(JSON.parse(await read('dashboard/package.json')));
  return isHosted.success && isHosted.data.hosting !== undefined && isBuilt.success;
};
