import type { Shell } from '../deploy/shell.ts';
import { planAlerts } from './plan-alerts.ts';
import { readPresentAlerts, tryReadChannel } from './present-alerts.ts';
import { readAlerts } from './read-alerts.ts';

export interface AlertOptions {
  readonly project: string;
  /** Who is told. */
  readonly email: string;
}

/** Stands for a channel that is made first, in the commands that are only shown. */
const CHANNEL_TO_BE = 'CHANNEL';

/**
 * Makes a project's alerts those of `ops/alerts`: safe to repeat, since what is there is found by its name. The shell
 * decides whether it is done or shown. Throws `CommandFailed`; what was done until then stays, and a repetition goes on.
 */
export const applyAlerts = async (
  { project, email }: AlertOptions,
  shell: Shell,
  say: (line: string) => void,
): Promise<void> => {
  const alerts = await readAlerts();
  const present = await readPresentAlerts(shell, project);
  const channel = (await tryReadChannel(shell, project, email)) ?? (await makeChannel(project, email, shell));
  const { commands, superfluous } = planAlerts(alerts, present, { project, channel });
  for (const args of commands) await shell.change('gcloud', args);
  for (const name of superfluous) {
    say(
      `No file describes ${name} any more, or it is there twice: gcloud alpha monitoring policies delete ${name}`,
    );
  }
};

const makeChannel = async (project: string, email: string, shell: Shell): Promise<string> => {
  await shell.change('gcloud', [
    'beta',
    'monitoring',
    'channels',
    'create',
    '--type=email',
    '--display-name=Membership sync',
    `--channel-labels=email_address=${email}`,
    `--project=${project}`,
  ]);
  if (shell.dryRun) return CHANNEL_TO_BE;
  const made = await tryReadChannel(shell, project, email);
  if (made === null)
    throw new Error(`The notification channel for ${email} was made, but is not in the list.`);
  return made;
};
