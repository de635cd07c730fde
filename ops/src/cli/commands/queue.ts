import { type Command, Option } from 'commander';
import {
  queueActionAnswer,
  queueItem,
  queueItemAnswer,
  queuePage,
  retryAnswer,
} from '../../../../functions/src/ops/schemas/two-way.ts';
import type { QueueItemDetail, RetryAnswer, WireQueueItem } from '../../../../functions/src/ops/schemas.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withProgress } from '../progress.ts';
import { runbookOf } from '../remedies.ts';
import { pairLines, tableLines } from '../table.ts';
import { counted, shownTime } from '../text.ts';
import { wholeNumber } from '../whole-number.ts';

const STATUSES = [...queueItem.shape.status.options];

interface ListOptions {
  readonly status?: string;
  readonly limit: number;
  readonly before?: string;
}

const ACTIONS = {
  retry: {
    description: 'Sends a change again that was given up, or that waits for its next try.',
    question: 'Send this change to the registry now?',
  },
  fail: {
    description:
      "Gives a change up, also a dead letter: the member's edit will not reach the\nregistry, and nobody has to look at it any more.",
    question: 'Give this change up?',
  },
} as const;

export const addQueue = (program: Command, cli: Cli): void => {
  const queue = program
    .command('queue')
    .description("Members' own edits on their way to the registry, newest first.")
    .addOption(new Option('--status <status>', 'that are so').choices(STATUSES))
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .option('--before <cursor>', 'the next page, as the page before it named it')
    .addHelpText(
      'after',
      '\nExample:\n  npm run ops -- queue --status failed\n  npm run ops -- queue show ID',
    )
    .action(
      cli.action(async ({ api, show, note }, { status, limit, before }: ListOptions) => {
        const page = await api.get('/queue', queuePage, { status, limit, before });
        show(page, () => (page.items.length === 0 ? ['Nothing in the queue.'] : itemsLines(page.items)));
        if (page.next !== null) note(`There are older ones: --before ${page.next}`);
        return EXIT_CODES.done;
      }),
    );
  queue
    .command('show')
    .description('One change with its values. They are personal: the look is recorded.')
    .argument('<change>', 'id of the change')
    .addHelpText('after', '\nExample:\n  npm run ops -- queue show ID')
    .action(
      cli.action(async ({ api, show, note }, id: string, _options: object) => {
        const answer = await api.get(`/queue/${encodeURIComponent(id)}`, queueItemAnswer);
        show(answer, () => itemLines(answer.item));
        note('These are personal data. That you looked at them is recorded.');
        return EXIT_CODES.done;
      }),
    );
  for (const verb of ['retry', 'fail'] as const) {
    const { description, question } = ACTIONS[verb];
    queue
      .command(verb)
      .description(description)
      .argument('<change>', 'id of the change')
      .requiredOption('--reason <text>', 'why')
      .addHelpText('after', `\nExample:\n  npm run ops -- queue ${verb} ID --reason "agreed by phone"`)
      .action(
        cli.action(async ({ api, terminal, confirm, show }, id: string, { reason }: { reason: string }) => {
          await confirm(question);
          const path = `/queue/${encodeURIComponent(id)}/${verb}`;
          const working = <T>(work: () => Promise<T>) => withProgress(terminal, 'Working', work);
          if (verb === 'fail') {
            const answer = await working(() => api.post(path, { reason }, queueActionAnswer));
            show(answer, () => [...itemsLines([answer.item]), '', 'Given up.']);
            return EXIT_CODES.done;
          }
          const answer = await working(() => api.post(path, { reason }, retryAnswer));
          show(answer, () => [...itemsLines([answer.item]), '', ...retriedLines(answer.delivery)]);
          return answer.delivery.outcome === 'delivered' ? EXIT_CODES.done : EXIT_CODES.failed;
        }),
      );
  }
};

const RETRIED = {
  delivered: 'The registry has it.',
  given_up: 'The registry refused it again: queue show says why.',
  conflict: 'The registry has another value by now: see conflicts.',
  waiting: 'The registry does not have it yet. The nightly sweep (03:30) tries again.',
  busy: "Somebody else is delivering the member's edits. Look again in some minutes.",
} as const;

const retriedLines = ({ outcome, code }: RetryAnswer['delivery']): string[] => [
  RETRIED[outcome],
  ...(code === null ? [] : [`Why: ${code}. What to do: ${runbookOf(code) ?? 'see its last error'}`]),
];

const itemsLines = (items: readonly WireQueueItem[]): string[] =>
  tableLines(
    [
      { head: 'status', width: 8 },
      { head: 'edited', width: 16 },
      { head: 'tries', width: 5, align: 'right' },
      { head: 'member', width: 18 },
      { head: 'fields', width: 25 },
    ],
    items.flatMap((item) => [
      [
        item.isGivenUp ? 'given up' : item.status,
        shownTime(item.editedAt),
        String(item.retryCount),
        item.member,
        fieldsOf(item),
      ],
      { line: item.id },
    ]),
  );

const fieldsOf = ({ waiting, settled }: WireQueueItem): string =>
  [...waiting, ...Object.entries(settled).map(([path, outcome]) => `${path} ${outcome}`)].join(', ');

const itemLines = (item: QueueItemDetail): string[] =>
  pairLines([
    ['change', item.id],
    ['member', `${item.kennitala} (${item.member})`],
    [
      'status',
      `${item.isGivenUp ? 'given up' : item.status}, ${counted(item.retryCount, 'failed try', 'failed tries')}`,
    ],
    ['edited', shownTime(item.editedAt)],
    [item.status === 'pending' ? 'next try' : 'ended', shownTime(item.syncedAt ?? item.nextAttemptAt)],
    ...(item.errorMessage === null ? [] : ([['why', item.errorMessage]] as [string, string][])),
    ...Object.entries(item.values).flatMap(([path, { oldValue, newValue }]): [string, string][] => [
      ['field', path],
      ['  was', JSON.stringify(oldValue) ?? '-'],
      ['  becomes', JSON.stringify(newValue) ?? '-'],
    ]),
  ]);
