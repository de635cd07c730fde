import type { Command } from 'commander';
import { eraseAnswer } from '../../../../functions/src/ops/schemas/person.ts';
import type { EraseAnswer, EraseBody } from '../../../../functions/src/ops/schemas.ts';
import { ApiProblem } from '../api.ts';
import type { Cli } from '../cli.ts';
import { eraseLines, heldLines } from '../erase-lines.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { KENNITALA_HELP, readKennitala, refuseArguments } from '../kennitala-input.ts';
import { OpsError } from '../ops-error.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';

const EXAMPLE = `
For a person who has left: deleted in the registry, and no longer on the list,
in the portal or in the register. Shows what is held, asks, erases, and reads
everything again. --check only proves the absence. Safe to repeat.
${KENNITALA_HELP}

Exit code 0 only when absence is proved, 2 when the person is still a member
somewhere or would come back, else 1.

Example:
  npm run ops -- erase --reason "erasure requested 2026-11-20"
  npm run ops -- erase --check
  npm run ops --silent -- erase --check --json < file-with-one-kennitala`;

/** Refusals of the API that mean: this person has not left everywhere, or may come back. Nothing was changed. */
const REFUSALS = new Set(['still_a_member', 'still_published', 'events_waiting', 'lease_held']);

interface EraseOptions {
  readonly reason?: string;
  readonly check?: boolean;
}

export const addErase = (program: Command, cli: Cli): void => {
  const command = program
    .command('erase')
    .description('Erases one person who has left, everywhere, and proves it.')
    .option('--reason <text>', 'why, without the number or a name; kept for 12 months')
    .option('--check', 'only look: prove that nothing is held')
    .addHelpText('after', EXAMPLE);
  refuseArguments(command).action(
    cli.action(async (session, { reason, check = false }: EraseOptions) => {
      if (!check && reason === undefined) throw new OpsError('erase needs --reason. Nothing was done.');
      const kennitala = await readKennitala(session.terminal);
      try {
        return await erase(session, { kennitala, ...(reason !== undefined && { reason }) }, check);
      } catch (cause) {
        if (!(cause instanceof ApiProblem) || !REFUSALS.has(cause.code)) throw cause;
        session.show(cause.document, () => [cause.message]);
        return EXIT_CODES.blocked;
      }
    }),
  );
};

const erase = async (session: Session, person: EraseBody, isCheck: boolean): Promise<ExitCode> => {
  const held = await post(session, 'Looking everywhere', { ...person, dryRun: true });
  // What is absent needs no erasure, and what was only to be looked for gets none.
  if (isCheck || held.absent) return show(session, held);
  for (const line of heldLines(held)) session.note(line);
  await session.confirm('Erase all of it for good? Those versions of the list cannot be rolled back to.');
  const code = show(session, await post(session, 'Erasing', person));
  session.note('The registry keeps its own queue: run manage.py erase_member there.');
  return code;
};

const post = ({ api, terminal }: Session, text: string, body: EraseBody): Promise<EraseAnswer> =>
  withProgress(terminal, text, () => api.post('/erase', body, eraseAnswer));

const show = (session: Session, answer: EraseAnswer): ExitCode => {
  session.show(answer, () => eraseLines(answer, session.paint));
  return answer.absent ? EXIT_CODES.done : EXIT_CODES.failed;
};
