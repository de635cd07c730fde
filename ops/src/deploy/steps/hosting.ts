import type { DeployContext } from '../context.ts';
import { deployWithFirebase } from '../deploy-with-firebase.ts';
import type { Step } from '../run-steps.ts';

/** After the functions, since the page calls them. `firebase.json` says how the page is built before. */
export const hosting = (context: DeployContext): Step => ({
  name: 'hosting',
  remedy:
    'The functions are new and the page is the old one, which still works with them. Give the command again.',
  run: async () => {
    await deployWithFirebase(context, 'hosting');
    return { state: 'done' };
  },
});
