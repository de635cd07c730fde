import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { verifyAnswer } from '../../../../functions/src/ops/schemas/proof.ts';
import type { VerifyAnswer } from '../../../../functions/src/ops/schemas.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withProgress } from '../progress.ts';
import { runbookOf } from '../remedies.ts';
import { pairLines, tableLines } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { counted, shownTime, toFileText } from '../text.ts';

const EXAMPLE = `
Reads every record, the kept versions of the list, and what each remembers of
the other; minutes where a year of records is long. The status remembers what
it found; nothing else is written.
Exit code 1 when anything is missing, altered, reordered, inserted or unproven.

Example:
  npm run ops -- verify
  npm run ops -- verify --public-key chain.pem`;

export const addVerify = (program: Command, cli: Cli): void => {
  program
    .command('verify')
    .description('Whether the record of runs and operators, and the lists, are as they were written.')
    .option('--public-key <file>', 'also writes the public keys, with which anybody can check a signature')
    .addHelpText('after', EXAMPLE)
    .action(
      cli.action(async ({ api, terminal, show, paint }, { publicKey }: { publicKey?: string }) => {
        const answer = await withProgress(terminal, 'Walking the chains', () =>
          api.post('/verify', {}, verifyAnswer),
        );
        if (publicKey !== undefined) {
          await writeFile(publicKey, answer.publicKeys.map(({ pem }) => toFileText(pem)).join(''));
        }
        show(answer, () => verifyLines(answer, paint));
        return answer.whole ? EXIT_CODES.done : EXIT_CODES.failed;
      }),
    );
};

const verifyLines = (answer: VerifyAnswer, paint: Paint): string[] => [
  answer.whole
    ? paint('green', `Whole at ${shownTime(answer.at)}.`)
    : paint('red', `chain_broken: ${counted(answer.findingsInAll, 'finding')} at ${shownTime(answer.at)}.`),
  ...pairLines([
    [
      'records',
      `${answer.records}${answer.unchained === 0 ? '' : `, ${answer.unchained} older than the chain`}`,
    ],
    ['lists', `${counted(answer.versions.checked, 'version')}${olderVersions(answer)}`],
    ...(answer.erased === 0
      ? []
      : [
          ['erased', `${counted(answer.erased, 'entry', 'entries')}, which is no finding`] as [
            string,
            string,
          ],
        ]),
  ]),
  '',
  ...tableLines(
    [
      { head: 'chain', width: 10 },
      { head: 'links', width: 8 },
      { head: 'from', width: 8 },
      { head: 'head', width: 40 },
    ],
    answer.streams.map(({ stream, links, first, head }) => [
      stream,
      String(links),
      first === null ? '-' : String(first.number),
      head === null ? '-' : `${head.number} ${head.hash.slice(0, 16)}… key ${head.key}`,
    ]),
  ),
  ...(answer.whole
    ? []
    : [
        '',
        ...tableLines(
          [
            { head: 'what', width: 9 },
            { head: 'where', width: 34 },
            { head: 'why', width: 34 },
          ],
          answer.findings.map(({ kind, where, link, why }) => [
            kind,
            link === null ? where : `${where} (${link.stream} ${link.number})`,
            why,
          ]),
        ),
        '',
        runbookOf('chain_broken') ?? '',
      ]),
];

const olderVersions = ({ versions }: VerifyAnswer): string =>
  versions.unchained === 0 ? '' : `, ${versions.unchained} older than the chain`;
