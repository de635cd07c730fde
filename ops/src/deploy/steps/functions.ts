import { REGION } from '../../../../functions/src/settings.ts';
import { type DeployContext, inProject } from '../context.ts';
import { deployWithFirebase } from '../deploy-with-firebase.ts';
import { serviceOf } from '../deployed-functions.ts';
import { emailOf } from '../iam-table.ts';
import type { Step } from '../run-steps.ts';
import { placeFlags, servesNewest, tryReadService } from '../services.ts';

const NEW_AND_OLD =
  'Some functions may be new and some old; they work side by side. Give the command again, or npm run rollback-deploy.';

export const functions = (context: DeployContext): Step => ({
  name: 'functions',
  remedy: `${NEW_AND_OLD} A function that is to be deleted, or a new trigger with retries, needs --force where nobody can be asked.`,
  run: async () => {
    await deployWithFirebase(context, 'functions', context.options.force ? ['--force'] : []);
    return { state: 'done', notes: [`${context.functions.length} functions`] };
  },
});

/** After a rollback a service keeps to its old revision, and a deployment alone does not move it. */
export const traffic = (context: DeployContext): Step => ({
  name: 'traffic',
  remedy: `${NEW_AND_OLD} What serves: gcloud run services list --region ${REGION} ${inProject(context)}`,
  run: async () => {
    // Known only once they are deployed.
    if (context.options.dryRun)
      return { state: 'skipped', notes: ['what is pinned after a rollback is let go'] };
    const pinned: string[] = [];
    for (const { name, regions } of context.functions) {
      const place = { project: context.options.project, region: regions[0], name: serviceOf(name) };
      const service = await tryReadService(context.shell, place);
      if (service === null) throw new Error(`${name} was not deployed: there is no service ${place.name}.`);
      if (servesNewest(service)) continue;
      pinned.push(name);
      await context.shell.change('gcloud', [
        'run',
        'services',
        'update-traffic',
        place.name,
        '--to-latest',
        ...placeFlags(place),
      ]);
    }
    return pinned.length === 0 ? { state: 'unchanged' } : { state: 'done', notes: [pinned.join(', ')] };
  },
});

/** Eventarc calls a function as its own account, which `firebase deploy` lets nobody do by itself. Adding twice is once. */
export const invokers = (context: DeployContext): Step => ({
  name: 'callers of event functions',
  remedy:
    'The functions are new, but those with an event trigger are not called until this is done: roles/run.admin is needed.',
  run: async () => {
    const events = context.functions.filter(({ kind }) => kind === 'event');
    for (const { name, regions } of events) {
      const account = context.iam.accounts.find(({ functions: names }) => names.includes(name));
      if (account === undefined) throw new Error(`docs/iam.md names no account for ${name}.`);
      await context.shell.change('gcloud', [
        'run',
        'services',
        'add-iam-policy-binding',
        serviceOf(name),
        `--member=serviceAccount:${emailOf(account.name, context.options.project)}`,
        '--role=roles/run.invoker',
        '--condition=None',
        ...placeFlags({ project: context.options.project, region: regions[0] }),
        '--format=none',
      ]);
    }
    return { state: 'done' };
  },
});
