import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { functionsUrl, readDeployedFunctions } from './deployed-functions.ts';
import { readIamTable } from './iam-table.ts';
import { parseHttpUrl, parsePositive, parseProject } from './parse-options.ts';
import { planDeploy } from './plan-deploy.ts';
import { ROOT } from './root.ts';
import { runSteps } from './run-steps.ts';
import { readSettings, type Settings } from './settings.ts';
import { makeShell } from './shell.ts';

const program = new Command()
  .name('npm run deploy --')
  .description('Deploys everything to a project, in the order that is safe, and checks that it works.')
  .requiredOption('--project <id>', 'the project', parseProject)
  .option('--dry-run', 'look at everything and show the commands, but change nothing', false)
  .option(
    '--force',
    'let firebase delete functions that are no longer in the source, and switch retries on',
    false,
  )
  .option(
    '--operator-account <email>',
    'the service account that the smoke test calls as (default: the first of ADMIN_SERVICE_ACCOUNTS)',
  )
  .option(
    '--database-owner <user>',
    'the user of the database that owns the schema of the register (default: DATABASE_USER of the environment)',
  )
  .option(
    '--url <url>',
    'where the functions answer (default: cloudfunctions.net of the project)',
    parseHttpUrl,
  )
  .option('--settings <folder>', 'the folder of .env.<project>', join(ROOT, 'functions'))
  .option('--wait-minutes <n>', 'how long to wait for indexes', parsePositive, 20)
  .option('--poll-seconds <n>', 'how often to look at them', parsePositive, 10)
  .addHelpText('after', '\nExample:\n  npm run deploy -- --project ekklesia-prod --dry-run')
  .parse();

const given = program.opts<{
  project: string;
  dryRun: boolean;
  force: boolean;
  operatorAccount?: string;
  databaseOwner?: string;
  url?: string;
  settings: string;
  waitMinutes: number;
  pollSeconds: number;
}>();
const { project, dryRun } = given;
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const shell = makeShell({ dryRun, env: process.env, say });
let read: Promise<Settings> | undefined;
const isDeployed = await runSteps(
  planDeploy({
    options: {
      ...given,
      url: given.url ?? functionsUrl(project),
      operatorAccount: given.operatorAccount ?? null,
      databaseOwner: given.databaseOwner ?? process.env['DATABASE_USER'] ?? null,
      settingsFolder: given.settings,
    },
    shell,
    functions: await readDeployedFunctions(),
    iam: await readIamTable(),
    settings: () => {
      read ??= readSettings(given.settings, project);
      return read;
    },
    say,
    sleep,
  }),
  { shell, say },
);
if (isDeployed) say(dryRun ? 'Nothing was changed: this was a dry run.' : `${project} is deployed.`);
process.exitCode = isDeployed ? 0 : 1;
