import { Command } from 'commander';
import { parseEmail, parseProject } from '../deploy/parse-options.ts';
import { makeShell } from '../deploy/shell.ts';
import { applyAlerts } from './apply-alerts.ts';

const program = new Command()
  .name('npm run alerts --')
  .description('Shows or runs the gcloud commands that make the alerts of ops/alerts.')
  .requiredOption('--project <id>', 'the project', parseProject)
  .requiredOption('--email <address>', 'who is told', parseEmail)
  .option('--apply', 'run them', false)
  .addHelpText(
    'after',
    `
A policy for a metric that was made a moment ago may be refused, as the metric is not known everywhere yet: give the
command again after some minutes.

Example:
  npm run alerts -- --project ekklesia-prod --email operators@example.is --apply`,
  )
  .parse();

const { project, email, apply } = program.opts<{ project: string; email: string; apply: boolean }>();
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
try {
  await applyAlerts({ project, email }, makeShell({ dryRun: !apply, env: process.env, say }), say);
  say(apply ? 'The alerts are as in ops/alerts.' : 'Nothing was changed: --apply runs these commands.');
} catch (cause) {
  say(`FAILED: ${cause instanceof Error ? cause.message : String(cause)}`);
  say('Give the same command again when it is mended: what is there already is updated.');
  process.exitCode = 1;
}
