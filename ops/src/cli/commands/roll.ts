import { writeFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { Language } from '../../../../dashboard/src/texts/format.ts';
import { receiptPage, receiptRows } from '../../../../dashboard/src/texts/receipt-page.ts';
import {
  compareAnswer,
  frozenRoll,
  frozenRolls,
  rollAnswer,
} from '../../../../functions/src/ops/schemas/proof.ts';
import type { RollAnswer } from '../../../../functions/src/ops/schemas.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES, type ExitCode } from '../exit-codes.ts';
import { OpsError } from '../ops-error.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { pairLines, tableLines } from '../table.ts';
import { shownTime, toFileText } from '../text.ts';

const EXAMPLE = `
Times are Iceland's, or have an offset. Without --out nobody is named; with it,
and with --compare, the look is recorded. Files are for the owner alone.

Example:
  npm run ops -- roll --at 2026-11-01T12:00
  npm run ops -- roll --at 2026-11-01T12:00 --out roll.txt --receipt receipt.json
  npm run ops -- roll --compare 2026-10-01T12:00 2026-11-01T12:00
  npm run ops -- roll --freeze board-2026 --at 2026-11-01T12:00 --until 2027-03-01 --reason "election of the board"
  npm run ops -- roll --name board-2026 --print receipt.html --lang is
  npm run ops -- roll --frozen`;

interface RollOptions {
  readonly at?: string;
  readonly name?: string;
  readonly out?: string;
  readonly receipt?: string;
  readonly print?: string;
  readonly lang: Language;
  readonly compare?: readonly string[];
  readonly freeze?: string;
  readonly until?: string;
  readonly reason?: string;
  readonly frozen?: boolean;
}

export const addRoll = (program: Command, cli: Cli): void => {
  program
    .command('roll')
    .description('Who was a member at a moment: the list that was in force, with a signed receipt.')
    .option('--at <moment>', 'such as 2026-11-01T12:00')
    .option('--name <name>', 'a frozen roll instead')
    .option('--out <file>', 'writes the list, one kennitala a line')
    .option('--receipt <file>', 'writes the receipt, for npm run verify-roll')
    .option('--print <file>', 'writes the receipt as a page to print')
    .addOption(new Option('--lang <language>', 'of that page').choices(['is', 'en']).default('is'))
    .option('--compare <moments...>', 'who came and went between two moments')
    .option('--freeze <name>', 'keeps the roll for an election; needs --at, --until and --reason')
    .option('--until <day>', 'the last day on which it is needed')
    .option('--reason <text>', 'why; stands in the record')
    .option('--frozen', 'the rolls that are frozen')
    .addHelpText('after', EXAMPLE)
    .action(
      cli.action(async (session, options: RollOptions) => {
        const { compare, freeze, frozen } = options;
        if (frozen === true) return showFrozen(session);
        if (compare !== undefined) return showCompared(session, compare);
        return freeze === undefined ? showRoll(session, options) : freezeRoll(session, freeze, options);
      }),
    );
};

const showRoll = async ({ api, terminal, show }: Session, options: RollOptions): Promise<ExitCode> => {
  const { at, name, out, receipt, print, lang } = options;
  if ((at === undefined) === (name === undefined))
    throw new OpsError('Name a moment (--at) or a frozen roll (--name).');
  const which = at === undefined ? { name } : { at };
  const answer = await withProgress(terminal, 'Looking for the list', () =>
    api.post('/roll', { ...which, list: out !== undefined }, rollAnswer),
  );
  const { list, ...shown } = answer;
  if (out !== undefined) await writePrivate(out, toFileText(list ?? ''));
  if (receipt !== undefined) await writePrivate(receipt, `${JSON.stringify(answer.receipt, null, 2)}\n`);
  if (print !== undefined) await writePrivate(print, receiptPage(answer, lang));
  show({ ...shown, list: null } satisfies RollAnswer, () => pairLines(receiptRows(answer, 'en'), 34));
  return EXIT_CODES.done;
};

/** A roll is personal data, and a receipt names who approved. */
const writePrivate = (file: string, text: string): Promise<void> => writeFile(file, text, { mode: 0o600 });

const showCompared = async ({ api, show }: Session, moments: readonly string[]): Promise<ExitCode> => {
  const [from, to, ...more] = moments;
  if (from === undefined || to === undefined || more.length > 0) {
    throw new OpsError('--compare takes two moments. Nothing was asked.');
  }
  const answer = await api.post('/roll/compare', { from, to }, compareAnswer);
  show(answer, () => [
    ...pairLines(
      [
        [`at ${answer.from.at}`, `${answer.from.count} members`],
        [`at ${answer.to.at}`, `${answer.to.count} members`],
        ['came', String(answer.added.length)],
        ['went', String(answer.removed.length)],
      ],
      30,
    ),
    ...answer.added.map((kennitala) => `+ ${kennitala}`),
    ...answer.removed.map((kennitala) => `- ${kennitala}`),
  ]);
  return EXIT_CODES.done;
};

const freezeRoll = async (session: Session, name: string, options: RollOptions): Promise<ExitCode> => {
  const { at, until, reason } = options;
  if (at === undefined || until === undefined || reason === undefined) {
    throw new OpsError('A freeze needs --at, --until and --reason. Nothing was done.');
  }
  const { receipt } = await session.api.post('/roll', { at }, rollAnswer);
  await session.confirm(
    `That keeps the roll of ${receipt.count} members at ${receipt.at} until ${until}. Freeze it?`,
  );
  const roll = await session.api.post('/rolls', { name, at, until, reason }, frozenRoll);
  session.show(roll, () => [`Frozen as ${roll.name} until ${shownTime(roll.until)}.`]);
  return EXIT_CODES.done;
};

const showFrozen = async ({ api, show }: Session): Promise<ExitCode> => {
  const answer = await api.get('/rolls', frozenRolls);
  show(answer, () =>
    answer.rolls.length === 0
      ? ['No roll is frozen.']
      : tableLines(
          [
            { head: 'name', width: 20 },
            { head: 'of', width: 16 },
            { head: 'members', width: 8 },
            { head: 'until', width: 16 },
            { head: 'why', width: 24 },
          ],
          answer.rolls.map(({ name, receipt, until, reason }) => [
            name,
            shownTime(receipt.at),
            String(receipt.count),
            shownTime(until),
            reason,
          ]),
        ),
  );
  return EXIT_CODES.done;
};
