import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { addConflicts } from './commands/conflicts.ts';
import { addDoctor } from './commands/doctor.ts';
import { addErase } from './commands/erase.ts';
import { addExplain } from './commands/explain.ts';
import { addPause } from './commands/pause.ts';
import { addQueue } from './commands/queue.ts';
import { addRegistryWord } from './commands/registry-word.ts';
import { addRoll } from './commands/roll.ts';
import { addRollback } from './commands/rollback.ts';
import { addRuns } from './commands/runs.ts';
import { addStartRun } from './commands/start-run.ts';
import { addProve, addStatus } from './commands/status.ts';
import { addVerify } from './commands/verify.ts';
import { wholeNumber } from './whole-number.ts';

const ABOUT = `
Works on the local stack when it answers, else on the project that is named.

Environment:
  OPS_PROJECT, OPS_URL   --project and --url
  OPS_SERVICE_ACCOUNT    --as
  OPS_TOKEN              a Firebase ID token of an administrator, instead of gcloud's
  NO_COLOR               no colours; there are none outside a terminal either

Exit codes:
  0  done
  1  failed, not known, or not confirmed
  2  the guard refuses the plan, or who is to be erased has not left:
     nothing was changed

Example:
  npm run ops -- status
  npm run ops --silent -- runs --mirror roster --json --project P`;

/** The whole command line. */
export const makeProgram = (cli: Cli): Command => {
  const { stdout, stderr } = cli.terminal;
  const program = new Command()
    .name('npm run ops --')
    .description('Sees, stops, approves, rolls back and explains the membership sync; erases who has left.')
    .option('--local', 'the local stack of this machine')
    .option('--project <id>', 'a project of Google Cloud')
    .option('--url <address>', "the API's own address, such as https://P.web.app/api")
    .option('--audience <address>', 'of the identity token, if ADMIN_OIDC_AUDIENCES is set')
    .option('--as <service-account>', 'one of ADMIN_SERVICE_ACCOUNTS, impersonated')
    .option('--port-offset <n>', 'of the local stack', wholeNumber(0, 50_000), 0)
    .option('--json', 'the answer as JSON on stdout')
    .option('--yes', 'do not ask before something is written')
    .addHelpText('after', ABOUT)
    .configureHelp({ helpWidth: 80, showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .showHelpAfterError('(--help shows the options)')
    .exitOverride();
  addStatus(program, cli);
  addProve(program, cli);
  addRuns(program, cli);
  addStartRun(program, cli);
  addRegistryWord(program, cli);
  addRollback(program, cli);
  addPause(program, cli);
  addExplain(program, cli);
  addErase(program, cli);
  addQueue(program, cli);
  addConflicts(program, cli);
  addVerify(program, cli);
  addRoll(program, cli);
  addDoctor(program, cli);
  return program;
};
