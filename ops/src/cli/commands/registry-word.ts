import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import type { ExitCode } from '../exit-codes.ts';
import { KENNITALA_HELP, readKennitala, refuseArguments } from '../kennitala-input.ts';
import { OpsError } from '../ops-error.ts';
import { exitCodeOf, runLines } from '../run-lines.ts';
import type { Session } from '../session.ts';
import { startRun } from '../start-run.ts';

const EXAMPLE = `
For members of whom the portal holds a later version than the registry has: no
event and no reconcile changes them. It happens when the registry's database was
restored, or versions came from its old queue. One reconcile then takes the
registry's word about all of them, or about one, with plan, guard and record.
Without --all it is about one:
${KENNITALA_HELP.trim()}
Exit code 2 when the guard refuses it: nothing was changed.

Example:
  npm run ops -- registry-word --all --dry-run
  npm run ops -- registry-word --all --reason "moved to the companion app"
  npm run ops -- registry-word --all --approve PLAN --operator "Name" --reason TEXT`;

interface Options {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly approve?: string;
  readonly operator?: string;
}

export const addRegistryWord = (program: Command, cli: Cli): void => {
  const command = program
    .command('registry-word')
    .description('Takes the registry’s word about members whom the portal holds in a later version.')
    .option('--all', 'about every such member')
    .option('--dry-run', 'what it would change; changes nothing')
    .option('--reason <text>', 'why it is right; kept with your name')
    .option('--approve <plan>', 'the plan that the guard refused')
    .option('--operator <name>', 'who approves')
    .addHelpText('after', EXAMPLE);
  refuseArguments(command).action(
    cli.action(async (session, options: Options) => {
      const request = toRequest(options);
      const person = options.all === true ? {} : { kennitala: await readKennitala(session.terminal) };
      const whom = options.all === true ? 'every member who is ahead' : 'this member';
      if (options.dryRun !== true) await session.confirm(`Take the registry’s word about ${whom}?`);
      return run(session, { ...person, ...request }, options);
    }),
  );
};

const toRequest = ({ dryRun, reason, approve, operator }: Options): object => {
  if (dryRun === true) {
    if (approve !== undefined)
      throw new OpsError('A dry run applies nothing, so there is nothing to approve.');
    return { dryRun };
  }
  if (reason === undefined) throw new OpsError('registry-word needs --reason, or --dry-run.');
  if (approve === undefined) return { reason };
  if (!/^[0-9a-f]{64}$/.test(approve)) throw new OpsError('A plan has 64 digits, from 0 to f.');
  if (operator === undefined) throw new OpsError('--approve needs --operator.');
  return { approve: { planId: approve, operator, reason } };
};

const run = async (session: Session, body: object, { all }: Options): Promise<ExitCode> => {
  const text = 'Reading the registry and the portal';
  const answer = await startRun(session, { path: '/portal/registry-word', body, text });
  const next =
    answer.run.outcome === 'blocked' || answer.run.guard?.tripped === true
      ? `--approve ${answer.run.planId} --operator "Name" --reason TEXT`
      : answer.run.outcome === 'dry-run'
        ? '--reason TEXT'
        : null;
  session.show(answer, () => [
    ...runLines(answer.run, session.paint),
    ...(next === null
      ? []
      : [
          'If that is right:',
          `  ${session.commandLine(`registry-word ${all === true ? '--all ' : ''}${next}`)}`,
        ]),
  ]);
  return exitCodeOf(answer.run);
};
