import { z } from 'zod';
import { REGION } from '../../../../functions/src/settings.ts';
import { type DeployContext, inProject } from '../context.ts';
import { FIREBASE_TOOLS } from '../deploy-with-firebase.ts';
import { jobOf } from '../deployed-functions.ts';
import { readJson } from '../read-json.ts';
import type { Step } from '../run-steps.ts';

const jobList = z.array(
  z.object({ name: z.string(), state: z.string(), schedule: z.string(), timeZone: z.string() }),
);

/** Each schedule of the source is a job that is switched on, at the same time in the same time zone. */
export const schedules = (context: DeployContext): Step => ({
  name: 'schedules',
  remedy: `The functions are new, but something will not run by itself: gcloud scheduler jobs list --location ${REGION} ${inProject(context)}. A job that is gone comes back with its function alone, since a deployment passes over functions that have not changed: npx ${FIREBASE_TOOLS} deploy --only functions:NAME --project ${context.options.project}.`,
  run: async () => {
    const scheduled = context.functions.filter((deployed) => deployed.kind === 'schedule');
    // Before the first deployment there are none.
    if (context.options.dryRun)
      return { state: 'skipped', notes: [scheduled.map(({ name }) => name).join(', ')] };
    const faults: string[] = [];
    const notes: string[] = [];
    const args = [
      'scheduler',
      'jobs',
      'list',
      `--location=${REGION}`,
      ...inProject(context),
      '--format=json',
    ];
    const jobs = readJson(jobList, await context.shell.read('gcloud', args), 'the jobs');
    for (const { name, schedule } of scheduled) {
      const found = jobs.find((job) => job.name.endsWith(`/jobs/${jobOf(name)}`));
      if (found === undefined) {
        faults.push(`${name} has no job`);
        continue;
      }
      const isAsWritten = found.schedule === schedule.expression && found.timeZone === schedule.timeZone;
      if (!isAsWritten)
        faults.push(`${name} runs at ${found.schedule} ${found.timeZone}, not ${schedule.expression}`);
      // Somebody did that on purpose, and docs/runbook.md tells them how: a deployment does not decide about it.
      if (found.state === 'PAUSED')
        notes.push(
          `${name} is paused: gcloud scheduler jobs resume ${jobOf(name)} --location ${REGION} ${inProject(context)}`,
        );
      else if (found.state !== 'ENABLED') faults.push(`${name} is ${found.state}`);
    }
    if (faults.length > 0) throw new Error(faults.join('; '));
    return { state: 'checked', notes: [...notes, `${scheduled.length} jobs as in the source`] };
  },
});
