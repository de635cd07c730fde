import { join } from 'node:path';
import { Command } from 'commander';
import { REGION } from '../../../functions/src/settings.ts';
import { BUILD_ROLE, readBuildAccount } from './build-account.ts';
import { readDeployedFunctions, serviceOf } from './deployed-functions.ts';
import { applyIam, planIam, projectBinding } from './iam-commands.ts';
import { readIamTable, withSettings } from './iam-table.ts';
import { parseProject } from './parse-options.ts';
import { ROOT } from './root.ts';
import { readServices } from './services.ts';
import { readSettings, secretSettings } from './settings.ts';
import { makeShell } from './shell.ts';

const program = new Command()
  .name('npm run iam --')
  .description('Shows or runs the gcloud commands that make the accounts and roles of docs/iam.md.')
  .requiredOption('--project <id>', 'the project', parseProject)
  .option('--apply', 'run them', false)
  .option('--settings <folder>', 'the folder of .env.<project>', join(ROOT, 'functions'))
  .addHelpText('after', '\nExample:\n  npm run iam -- --project ekklesia-prod --apply')
  .parse();

const {
  project,
  apply,
  settings: folder,
} = program.opts<{ project: string; apply: boolean; settings: string }>();
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  const shell = makeShell({ dryRun: !apply, env: process.env, say });
  const { config, secrets, values } = await readSettings(folder, project);
  const functions = await readDeployedFunctions();
  const inProject = `--project=${project}`;
  const emails = await shell.read('gcloud', [
    'iam',
    'service-accounts',
    'list',
    inProject,
    '--format=value(email)',
  ]);
  const services = await readServices(shell, { project });
  const { commands, later } = planIam(withSettings(await readIamTable(), values), {
    project,
    region: REGION,
    bucket: config.bucket,
    present: {
      accounts: new Set(emails.split('\n')),
      functions: new Set(functions.map(({ name }) => name).filter((name) => services.has(serviceOf(name)))),
    },
    secretsNamed: (usual) => {
      if (usual.endsWith('*')) return secrets.filter((name) => name.startsWith(usual.slice(0, -1)));
      const setting = secretSettings().find((one) => one.usual === usual)?.setting ?? '';
      return secrets.filter((name) => name === (values[setting] || usual));
    },
    isDeployed: (name) => functions.some((deployed) => deployed.name === name),
  });
  const builder = await readBuildAccount(shell, project);
  const builds = builder.mayBuild === true ? [] : [projectBinding(project, builder.email, BUILD_ROLE)];
  await applyIam(shell, [...commands, ...builds], { say });
  if (later.length > 0) say(`After the first deployment, once more: ${later.join(', ')}.`);
  if (!apply) say('Nothing was changed: --apply runs these commands.');
} catch (cause) {
  say(`FAILED: ${cause instanceof Error ? cause.message : String(cause)}`);
  say('Give the same command again when it is mended: what is there already is left alone.');
  process.exitCode = 1;
}
