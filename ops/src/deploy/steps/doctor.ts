import { type NamedFinding, runChecks } from '../../cli/doctor/check.ts';
import { PROJECT_CHECKS } from '../../cli/doctor/checks.ts';
import { readDeployment } from '../../cli/doctor/deployment.ts';
import type { DeployContext } from '../context.ts';
import type { Step } from '../run-steps.ts';

/**
 * What `npm run ops -- doctor` finds of what is deployed by now. It stops nothing: a deployment is the remedy of much of
 * it, and what must be right beforehand was looked at by the step before.
 */
export const doctor = ({ options: { project }, shell }: DeployContext): Step => ({
  name: 'doctor',
  remedy: 'Nothing was changed.',
  run: async () => {
    const gcloud = (args: readonly string[]): Promise<string> => shell.read('gcloud', [...args]);
    const deployment = readDeployment(project, gcloud);
    try {
      if ((await deployment.functions()).length === 0)
        return { state: 'skipped', notes: ['nothing is deployed yet'] };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      return { state: 'skipped', notes: [`what is deployed could not be read: ${why}`] };
    }
    const commandLine = (command: string): string => `npm run ops -- ${command} --project ${project}`;
    const found = await runChecks(PROJECT_CHECKS, { gcloud, deployment, commandLine, now: new Date() });
    const notes = found.flatMap(toNote);
    return { state: 'checked', notes: notes.length === 0 ? ['all is well'] : notes };
  },
});

const toNote = (finding: NamedFinding): string[] =>
  finding.state === 'ok'
    ? []
    : [`${finding.state}: ${finding.check}: ${finding.text}`, `  -> ${finding.remedy}`];
