import { z } from 'zod';
import { FIREBASE_TOOLS } from '../../deploy/deploy-with-firebase.ts';
import { jobOf, readDeployedFunctions } from '../../deploy/deployed-functions.ts';
import { gcloudJson } from '../gcloud.ts';
import { REGION } from '../places.ts';
import { bad, type Check, type Finding, faultsOr, type ProjectContext } from './check.ts';

const jobList = z.array(
  z.object({ name: z.string(), state: z.string(), schedule: z.string(), timeZone: z.string() }),
);

/** Every scheduled function has its job, enabled, at the time that the code says. */
export const checkSchedules: Check<ProjectContext> = async ({ gcloud, deployment: { project } }) => {
  const place = ['--location', REGION, '--project', project];
  const jobs = await gcloudJson(gcloud, ['scheduler', 'jobs', 'list', ...place], jobList);
  const deploy = `npm run deploy -- --project ${project}`;
  const scheduled = (await readDeployedFunctions()).filter((expected) => expected.kind === 'schedule');
  const faults = scheduled.flatMap(({ name, schedule: { expression, timeZone } }): Finding[] => {
    const job = jobs.find((one) => one.name.endsWith(`/jobs/${jobOf(name)}`));
    if (job === undefined) {
      // A deployment passes over a function that has not changed, and makes no job for it.
      const again = `npx ${FIREBASE_TOOLS} deploy --only functions:${name} --project ${project}`;
      return [bad(`${name} has no schedule`, again)];
    }
    if (job.state !== 'ENABLED') {
      return [
        bad(
          `${name} is ${job.state}`,
          `gcloud scheduler jobs resume ${jobOf(name)} --location ${REGION} --project ${project}`,
        ),
      ];
    }
    const isAsWritten = job.schedule === expression && job.timeZone === timeZone;
    return isAsWritten
      ? []
      : [bad(`${name} runs at ${job.schedule} ${job.timeZone}, not at ${expression} ${timeZone}`, deploy)];
  });
  return faultsOr(faults, `${scheduled.length} schedules are enabled`);
};
