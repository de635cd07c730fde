import type { Command } from 'commander';
import { explainAnswer } from '../../../../functions/src/ops/schemas/person.ts';
import type { ExplainAnswer, TimelineEntry } from '../../../../functions/src/ops/schemas.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { KENNITALA_HELP, readKennitala, refuseArguments } from '../kennitala-input.ts';
import { withProgress } from '../progress.ts';
import { runbookOf } from '../remedies.ts';
import { pairLines, tableLines } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { asWords, shownTime } from '../text.ts';

const EXAMPLE = `${KENNITALA_HELP}
Exit code 1 when something could not be read, so that the answer may lack it.

Example:
  npm run ops -- explain
  npm run ops --silent -- explain --json < file-with-one-kennitala`;

export const addExplain = (program: Command, cli: Cli): void => {
  const command = program
    .command('explain')
    .description('Why a person is, or is not, in each mirror; and all that happened.')
    .addHelpText('after', EXAMPLE);
  refuseArguments(command).action(
    cli.action(async ({ api, terminal, show, paint }, _options: object) => {
      const kennitala = await readKennitala(terminal);
      const answer = await withProgress(terminal, 'Looking everywhere', () =>
        api.post('/explain', { kennitala }, explainAnswer),
      );
      show(answer, () => explainLines(answer, paint));
      return isComplete(answer) ? EXIT_CODES.done : EXIT_CODES.failed;
    }),
  );
};

const isComplete = ({ incomplete, now }: ExplainAnswer): boolean =>
  incomplete.length === 0 && Object.values(now).every(({ state }) => state !== 'unknown');

const explainLines = (answer: ExplainAnswer, paint: Paint): string[] => [
  `${answer.member} at ${shownTime(answer.at)}`,
  '',
  paint('bold', 'Now'),
  ...pairLines(Object.entries(answer.now).map(([store, now]) => [store, nowText(now)])),
  '',
  paint('bold', 'Why'),
  ...pairLines(answer.because.map(({ mirror, text }) => [mirror, text])),
  '',
  paint('bold', 'What happened'),
  ...(answer.timeline.length === 0
    ? ['Nothing is known.']
    : tableLines(TIMELINE, answer.timeline.map(timelineRow))),
  ...(answer.incomplete.length === 0
    ? []
    : [
        '',
        paint('red', 'Not complete. These could not be read:'),
        ...pairLines(
          answer.incomplete.map(({ source, code }) => [
            asWords(source),
            `${code}: ${runbookOf(code) ?? '-'}`,
          ]),
          18,
        ),
      ]),
];

const TIMELINE = [
  { head: 'when', width: 16 },
  { head: 'where', width: 8 },
  { head: 'what', width: 14 },
  { head: 'more', width: 36 },
] as const;

const timelineRow = (entry: TimelineEntry): string[] => [
  shownTime(entry.at),
  entry.mirror ?? entry.source,
  `${asWords(entry.what)}${entry.isPersonal ? '' : ' (all)'}`,
  [
    ...(entry.runId === null ? [] : [`run ${entry.runId}`]),
    ...Object.entries(entry.detail).flatMap(([name, value]) => {
      const text = detailText(name, value);
      return text === '' ? [] : [`${asWords(snakeOf(name))} ${text}`];
    }),
  ].join('; '),
];

const detailText = (name: string, value: TimelineEntry['detail'][keyof TimelineEntry['detail']]): string => {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([path, winner]) => `${path}: ${winner}`)
      .join(', ');
  }
  return name.endsWith('At') ? shownTime(String(value)) : String(value);
};

/** The state and what goes with it, in words. */
const nowText = ({ state, ...facts }: ExplainAnswer['now'][keyof ExplainAnswer['now']]): string =>
  [
    asWords(state),
    ...Object.entries(facts).flatMap(([name, value]) =>
      value === null
        ? []
        : [`${asWords(snakeOf(name))} ${name.endsWith('At') ? shownTime(String(value)) : value}`],
    ),
  ].join(', ');

const snakeOf = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
