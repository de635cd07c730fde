import { Command } from 'commander';
import { readDeployedFunctions } from './deployed-functions.ts';
import { parseProject, parseTime } from './parse-options.ts';
import { rollBack } from './roll-back.ts';
import { makeShell } from './shell.ts';

const program = new Command()
  .name('npm run rollback-deploy --')
  .description('Lets each function be answered by its revision before the last deployment.')
  .requiredOption('--project <id>', 'the project', parseProject)
  .option('--dry-run', 'show where each would go, but change nothing', false)
  .option(
    '--before <time>',
    'go back to before this time (default: an hour before the newest revision)',
    parseTime,
  )
  .addHelpText(
    'after',
    `
Given twice it goes back once. Rules, indexes, the database's schema and the dashboard stay as they are: the functions of
the deployment before work with them. The next npm run deploy goes forward again.

Example:
  npm run rollback-deploy -- --project ekklesia-prod --dry-run`,
  )
  .parse();

const { project, dryRun, before } = program.opts<{ project: string; dryRun: boolean; before?: Date }>();
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
try {
  const moves = await rollBack({
    options: { project, before: before ?? null },
    shell: makeShell({ dryRun, env: process.env, say }),
    functions: await readDeployedFunctions(),
    say,
  });
  const moved = moves.filter(({ kind }) => kind === 'move').length;
  say(
    dryRun
      ? `${moved} functions would go back.`
      : `${moved} functions went back. Check: npm run ops -- status`,
  );
} catch (cause) {
  say(`FAILED: ${cause instanceof Error ? cause.message : String(cause)}`);
  say('Give the same command again: functions that went back already are left alone.');
  process.exitCode = 1;
}
