import { REGION } from '../../../../functions/src/settings.ts';
import { type DeployContext, inProject } from '../context.ts';
import { deployWithFirebase } from '../deploy-with-firebase.ts';
import { serviceOf } from '../deployed-functions.ts';
import { emailOf } from '../iam-table.ts';
import type { Step } from '../run-steps.ts';
import { placeFlags, readServices, servesNewest } from '../services.ts';

const NEW_AND_OLD =
  'Some functions may be new and some old; they work side by side. Give the command again, or npm run rollback-deploy.';

export const functions = (context: DeployContext): Step => ({
  name: 'functions',
  remedy: `${NEW_AND_OLD} A function that is to be deleted, or a new trigger with retries, needs --force where nobody can be asked. Where an invoker could not be set: docs/deploy.md, "A project of an organization".`,
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
    const services = await readServices(context.shell, context.options);
    for (const { name } of context.functions) {
      const service = services.get(serviceOf(name));
      if (service === undefined)
        throw new Error(`${name} was not deployed: there is no service ${serviceOf(name)}.`);
      if (servesNewest(service)) continue;
      pinned.push(name);
      await context.shell.change('gcloud', [
        'run',
        'services',
        'update-traffic',
        serviceOf(name),
        '--to-latest',
        ...placeFlags(context.options),
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
    for (const { name } of events) {
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
        ...placeFlags(context.options),
        '--format=none',
      ]);
    }
    return { state: 'done' };
  },
});
