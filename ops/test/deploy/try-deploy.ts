import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployOptions } from '../../src/deploy/context.ts';
import { readDeployedFunctions } from '../../src/deploy/deployed-functions.ts';
import { readIamTable } from '../../src/deploy/iam-table.ts';
import { planDeploy } from '../../src/deploy/plan-deploy.ts';
import { runSteps } from '../../src/deploy/run-steps.ts';
import { readSettings } from '../../src/deploy/settings.ts';
import { makeShell } from '../../src/deploy/shell.ts';
import { startFunctionsServer } from './functions-server.ts';
import { answersOfReadyProject, ENV_FILE, PROJECT } from './ready-project.ts';
import { makeStandIns } from './stand-in-commands.ts';

/** A project that is ready, its functions, and a deployment to it that can be tried. */
export const startProject = async () => {
  const standIns = await makeStandIns(['gcloud', 'firebase', 'npm'], await answersOfReadyProject());
  const server = await startFunctionsServer();
  const folder = await mkdtemp(join(tmpdir(), 'settings-'));
  const settings = (more: string) => writeFile(join(folder, `.env.${PROJECT}`), ENV_FILE + more);
  await settings('');
  return {
    standIns,
    server,
    /** Adds to the settings of the project. */
    settings,
    deploy: async (given: Partial<DeployOptions> = {}) => {
      const lines: string[] = [];
      const say = (line: string) => void lines.push(line);
      const options: DeployOptions = {
        project: PROJECT,
        dryRun: false,
        force: false,
        url: server.url,
        operatorAccount: null,
        databaseOwner: null,
        settingsFolder: folder,
        pollSeconds: 10,
        waitMinutes: 1,
        ...given,
      };
      const shell = makeShell({
        dryRun: options.dryRun,
        env: { ...standIns.env, FIREBASE_API_URL: server.url },
        say,
      });
      let waits = 0;
      const steps = planDeploy({
        options,
        shell,
        functions: await readDeployedFunctions(),
        iam: await readIamTable(),
        settings: () => readSettings(folder, PROJECT),
        say,
        sleep: async () => {
          waits += 1;
        },
      });
      const isDeployed = await runSteps(steps, { shell, say });
      return { isDeployed, waits, said: lines.join('\n'), calls: await standIns.calls() };
    },
    close: () =>
      Promise.all([standIns.remove(), server.close(), rm(folder, { recursive: true, maxRetries: 5 })]),
  };
};

export type Project = Awaited<ReturnType<typeof startProject>>;
