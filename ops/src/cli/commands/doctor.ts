import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { DoctorContext, NamedFinding } from '../doctor/check.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { OpsError } from '../ops-error.ts';
import { localFunctionUrl } from '../places.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { tableLines } from '../table.ts';
import type { Paint } from '../terminal.ts';

const EXAMPLE = `
Asks gcloud with your own rights, and changes nothing. Each check stands by
itself; what could not be looked at is "unknown", which is not well. On the
local stack only the API and the webhook are looked at.
Exit code 1 unless everything is ok.

Example:
  npm run ops -- doctor --project P --as SA`;

export const addDoctor = (program: Command, cli: Cli): void => {
  program
    .command('doctor')
    .description('Is the installation as it should be? One line a finding, with its remedy.')
    .addHelpText('after', EXAMPLE)
    .action(
      cli.action(async (session, _options: object) => {
        const { terminal, show, paint } = session;
        const found = await withProgress(terminal, 'Looking', () => look(session));
        show(found, () => found.flatMap((finding) => findingLines(finding, paint)));
        return found.every(({ state }) => state === 'ok') ? EXIT_CODES.done : EXIT_CODES.failed;
      }),
    );
};

const look = async ({ api, target, commandLine }: Session): Promise<NamedFinding[]> => {
  // Only here: the checks load the functions' own manifests.
  const { HTTP_CHECKS, PROJECT_CHECKS } = await import('../doctor/checks.ts');
  const { runChecks } = await import('../doctor/check.ts');
  const { readDeployment } = await import('../doctor/deployment.ts');
  const { functionsPort, project, gcloud } = target;
  const base = { api, gcloud, commandLine, now: new Date() };
  if (functionsPort !== null) {
    const webhookUrl = async () => localFunctionUrl(functionsPort, 'syncFromDjango');
    return runChecks(HTTP_CHECKS, { ...base, project, webhookUrl } satisfies DoctorContext);
  }
  if (project === null) throw new OpsError('doctor needs --project.');
  // Else each check would say by itself that it cannot look.
  await gcloud(['auth', 'print-access-token']);
  const deployment = readDeployment(project, gcloud);
  const webhookUrl = async () => {
    const url = (await deployment.functions()).find(({ name }) => name === 'syncFromDjango')?.url;
    if (url == null) throw new OpsError('syncFromDjango is not deployed.');
    return url;
  };
  return runChecks({ ...PROJECT_CHECKS, ...HTTP_CHECKS }, { ...base, project, deployment, webhookUrl });
};

const COLOURS = { ok: 'green', bad: 'red', unknown: 'yellow' } as const;

const findingLines = (finding: NamedFinding, paint: Paint): string[] => [
  ...tableLines(
    [
      { head: '', width: 7 },
      { head: '', width: 13 },
      { head: '', width: 56 },
    ],
    [[paint(COLOURS[finding.state], finding.state), finding.check, finding.text]],
  ),
  // Not wrapped: most are commands to be copied.
  ...(finding.state === 'ok' ? [] : [`         -> ${finding.remedy}`]),
];
