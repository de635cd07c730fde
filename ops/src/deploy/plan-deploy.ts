import type { DeployContext } from './context.ts';
import { deployWithFirebase } from './deploy-with-firebase.ts';
import type { Step } from './run-steps.ts';
import { bucket } from './steps/bucket.ts';
import { doctor } from './steps/doctor.ts';
import { indexes, rules } from './steps/firestore.ts';
import { functions, invokers, traffic } from './steps/functions.ts';
import { images } from './steps/images.ts';
import { migrations } from './steps/migrations.ts';
import { preflight } from './steps/preflight.ts';
import { schedules } from './steps/schedules.ts';
import { secrets } from './steps/secrets.ts';
import { smokeTest } from './steps/smoke-test.ts';

/** After the functions, since the page calls them. `firebase.json` says how the page is built before. */
const hosting = (context: DeployContext): Step => ({
  name: 'hosting',
  remedy:
    'The functions are new and the page is the old one, which still works with them. Give the command again.',
  run: async () => {
    await deployWithFirebase(context, 'hosting');
    return { state: 'done' };
  },
});

/** A deployment in its order: look, then what the functions stand on, then the functions, then look again. */
export const planDeploy = (context: DeployContext): Step[] =>
  [
    preflight,
    doctor,
    secrets,
    bucket,
    images,
    rules,
    indexes,
    migrations,
    functions,
    traffic,
    invokers,
    hosting,
    schedules,
    smokeTest,
  ].map((make) => make(context));
