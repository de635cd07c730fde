import type { Command } from 'commander';
import { makeWords, proofSentence, recordSentence } from '../../../../dashboard/src/texts/words.ts';
import { proofAnswer, statusAnswer } from '../../../../functions/src/ops/schemas/status.ts';
import type { MirrorStatus, StatusAnswer } from '../../../../functions/src/ops/schemas.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { remediesOf } from '../remedies.ts';
import type { Session } from '../session.ts';
import { pairLines, tableLines } from '../table.ts';
import type { Paint } from '../terminal.ts';
import { asWords, counted, shownAge, shownNumber, shownTime } from '../text.ts';

const EXAMPLE = `
Exit code 1 when something is not healthy.

Example:
  npm run ops -- status --project P`;

export const addStatus = (program: Command, cli: Cli): void => {
  program
    .command('status')
    .description('Is everything right? Each mirror, the way back, and missed events.')
    .addHelpText('after', EXAMPLE)
    .action(
      cli.action(async ({ api, show, paint, commandLine }, _options: object) => {
        const status = await api.get('/status', statusAnswer);
        show(status, () => [...statusLines(status, paint), ...remedyLines(status, commandLine)]);
        return status.healthy ? EXIT_CODES.done : EXIT_CODES.failed;
      }),
    );
};

export const addProve = (program: Command, cli: Cli): void => {
  program
    .command('prove')
    .description('Do registry, roster, portal and register hold the same members? Mends what differs.')
    .addHelpText(
      'after',
      '\nExit code 1 when they are not equal.\n\nExample:\n  npm run ops -- prove --project P',
    )
    .action(
      cli.action(async ({ api, show }, _options: object) => {
        const proof = await api.post('/proof', {}, proofAnswer);
        show(proof, () => [proofSentence(proof, proof.at, WORDS)]);
        return proof.outcome === 'equal' ? EXIT_CODES.done : EXIT_CODES.failed;
      }),
    );
};

/** What the page says, in its words. */
const WORDS = makeWords('en');

const COLUMNS = [
  { head: 'mirror', width: 8 },
  { head: 'health', width: 15 },
  { head: 'members', width: 9, align: 'right' },
  { head: 'last success', width: 16 },
  { head: 'age', width: 6, align: 'right' },
  { head: 'last run', width: 9 },
] as const;

const statusLines = (status: StatusAnswer, paint: Paint): string[] => [
  `${shownTime(status.at)}, Icelandic time (UTC), as all times here`,
  '',
  ...tableLines(
    COLUMNS,
    status.mirrors.map((mirror) => [
      mirror.mirror,
      healthOf(mirror, paint),
      shownNumber(mirror.members),
      shownTime(mirror.lastSuccess?.at),
      shownAge(mirror.ageSeconds),
      mirror.lastRun?.outcome ?? '-',
    ]),
  ),
  '',
  ...pairLines([
    ['registry', registryText(status)],
    ['proof', proofSentence(status.proof, status.at, WORDS)],
    ['record', recordSentence(status.verified, status.at, WORDS)],
    ...status.mirrors.flatMap(detailsOf),
    ['way back', wayBackOf(status)],
    ['missed', missedText(status)],
    ...portalPairs(status),
  ]),
  '',
  status.healthy ? paint('green', 'All is well.') : paint('red', 'Somebody must look:'),
];

/** One remedy a finding: what it is about in a line, and the command in the next, as it can be copied. */
const remedyLines = (status: StatusAnswer, commandLine: Session['commandLine']): string[] =>
  remediesOf(status).flatMap(({ where, why, since, todo, command }) => [
    ...pairLines(
      [
        [
          '-',
          `${where}, ${why}${since === null ? '' : `, for ${shownAge(ageOf(since, status.at))}`}: ${todo}`,
        ],
      ],
      1,
    ),
    `  ${commandLine(command)}`,
  ]);

const ageOf = (since: string, at: string): number =>
  Math.max(0, (Date.parse(at) - Date.parse(since)) / 1_000);

const registryText = ({ registry }: StatusAnswer): string =>
  registry === null
    ? 'not counted yet: no run has read it'
    : `${counted(registry.count, 'member')}, as the ${registry.mirror}'s run of ${shownTime(registry.at)} counted them`;

const healthOf = ({ healthy, why }: MirrorStatus, paint: Paint): string => {
  if (healthy === null) return 'not configured';
  return healthy ? paint('green', 'healthy') : paint('red', why.map(asWords).join(', '));
};

const detailsOf = ({ mirror, paused, running, lastRun, agreement }: MirrorStatus): [string, string][] => [
  ...(paused === null
    ? []
    : ([[mirror, `paused since ${shownTime(paused.since)} by ${paused.by}: ${paused.reason}`]] as [
        string,
        string,
      ][])),
  ...(agreement.difference === null || agreement.difference === 0
    ? []
    : ([[mirror, differenceText(agreement)]] as [string, string][])),
  ...(running === null ? [] : ([[mirror, `run ${running.runId} is under way`]] as [string, string][])),
  ...(lastRun?.errorCode
    ? ([[mirror, `run ${lastRun.runId} ended with ${lastRun.errorCode}`]] as [string, string][])
    : []),
];

const differenceText = ({ difference, because }: MirrorStatus['agreement']): string =>
  `${shownNumber(Math.abs(difference ?? 0))} ${(difference ?? 0) < 0 ? 'fewer' : 'more'} than the registry${because === null ? '' : `: ${asWords(because)}`}`;

const wayBackOf = ({ twoWay }: StatusAnswer): string => {
  const parts = [
    `${shownNumber(twoWay.pending)} waiting`,
    counted(twoWay.deadLetters, 'dead letter'),
    counted(twoWay.openConflicts, 'open conflict'),
    `last sweep ${twoWay.lastSweep === null ? 'never' : `${shownTime(twoWay.lastSweep.at)} ${twoWay.lastSweep.status}`}`,
  ];
  return [...(twoWay.healthy ? [] : [twoWay.why.map(asWords).join(', ')]), parts.join(', ')].join(': ');
};

/** Nothing where there is nothing: a registry with the companion app sends no hints. */
const portalPairs = ({ portal }: StatusAnswer): [string, string][] => {
  const { aheadOfRegistry, unconfirmedHints, oldestUnconfirmedHintAt } = portal;
  return [
    ...(aheadOfRegistry === 0
      ? []
      : ([
          [
            'versions',
            `${counted(aheadOfRegistry, 'member')} ${aheadOfRegistry === 1 ? 'holds' : 'hold'} a version ahead of the registry’s`,
          ],
        ] as [string, string][])),
    ...(unconfirmedHints === 0
      ? []
      : ([
          [
            'hints',
            `${counted(unconfirmedHints, 'unconfirmed hint')}, the oldest of ${shownTime(oldestUnconfirmedHintAt)}; the reconcile decides`,
          ],
        ] as [string, string][])),
  ];
};

const missedText = ({ missedEvents: { last7Days, last30Days } }: StatusAnswer): string => {
  const sumOf = (found: typeof last7Days): number => found.created + found.updated + found.deleted;
  return `${counted(sumOf(last7Days), 'event')} in 7 days, ${shownNumber(sumOf(last30Days))} in 30 days`;
};
