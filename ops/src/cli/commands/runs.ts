import { type Command, Option } from 'commander';
import { runAnswer, runChanges, runsPage, runsQuery } from '../../../../functions/src/ops/schemas/runs.ts';
import type { Relation, RunAnswer, RunChanges } from '../../../../functions/src/ops/schemas.ts';
import type { Api } from '../api.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { type Mirror, mirrorOption } from '../mirror-argument.ts';
import { nextLines, runLines, runsLines, whoOf } from '../run-lines.ts';
import { pairLines } from '../table.ts';
import { asWords, shownTime } from '../text.ts';
import { wholeNumber } from '../whole-number.ts';

const OUTCOMES = [...runsQuery.shape.outcome.unwrap().options];

const LIST_EXAMPLE = `
Example:
  npm run ops -- runs --mirror roster --outcome blocked
  npm run ops -- runs show 20261123T030000Z-1f2e3d4c --changes`;

const SHOW_EXAMPLE = `
--changes prints kennitalas, and the look at them is recorded with your name.

Example:
  npm run ops -- runs show 20261123T030000Z-1f2e3d4c`;

interface ListOptions {
  readonly mirror?: Mirror;
  readonly outcome?: string;
  readonly limit: number;
  readonly before?: string;
}

export const addRuns = (program: Command, cli: Cli): void => {
  const runs = program
    .command('runs')
    .description('The runs of all mirrors, newest first.')
    .addOption(mirrorOption())
    .addOption(new Option('--outcome <outcome>', 'that ended so').choices(OUTCOMES))
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .option('--before <cursor>', 'the next page, as the page before it named it')
    .addHelpText('after', LIST_EXAMPLE)
    .action(
      cli.action(async ({ api, show, paint, note }, options: ListOptions) => {
        const { mirror, outcome, limit, before } = options;
        const page = await api.get('/runs', runsPage, { mirror, outcome, limit, before });
        show(page, () => (page.runs.length === 0 ? ['No runs.'] : runsLines(page.runs, paint)));
        if (page.next !== null) note(`There are older ones: --before ${page.next}`);
        return EXIT_CODES.done;
      }),
    );
  runs
    .command('show')
    .description('One run: counts, the verdict of the guard, who asked and who approved.')
    .argument('<run>', 'id of the run')
    .option('--changes', 'with the kennitalas that were added and removed')
    .addHelpText('after', SHOW_EXAMPLE)
    .action(
      cli.action(async (session, id: string, options: { changes?: boolean }) => {
        const { api, show, paint, note } = session;
        const path = `/runs/${encodeURIComponent(id)}`;
        const { run, related } = await api.get(path, runAnswer);
        const changes = options.changes === true ? await readChanges(api, path) : null;
        const isDecided = related.some(({ relation }) => DECIDED.includes(relation));
        show({ run, related, ...changes }, () => [
          ...runLines(run, paint),
          ...pairLines(related.map(relatedPair)),
          ...(changes ? changesLines(changes) : []),
          ...(isDecided ? [] : nextLines(run, session)),
        ]);
        if (changes !== null) note('These are personal data. That you looked at them is recorded.');
        return EXIT_CODES.done;
      }),
    );
};

/** After these nobody can let the plan through any more. */
const DECIDED: readonly Relation[] = ['approved', 'done', 'superseded'];

const relatedPair = ({
  runId,
  relation,
  at,
  by,
  typedName,
  reason,
}: RunAnswer['related'][number]): [string, string] => [
  asWords(relation),
  [
    `run ${runId}, ${shownTime(at)}`,
    ...(by === null && typedName === null ? [] : [`by ${whoOf(by, typedName)}`]),
    ...(reason === null ? [] : [reason]),
  ].join(', '),
];

type Changes = Pick<RunChanges, 'added' | 'removed'>;

const readChanges = async (api: Api, path: string): Promise<Changes> => {
  const changes: Changes = { added: [], removed: [] };
  for (let page: number | null = 0; page !== null; ) {
    const { added, removed, nextPage }: RunChanges = await api.get(`${path}/changes`, runChanges, { page });
    changes.added.push(...added);
    changes.removed.push(...removed);
    page = nextPage;
  }
  return changes;
};

const changesLines = ({ added, removed }: Changes): string[] => [
  '',
  ...added.map((kennitala) => `+ ${kennitala}`),
  ...removed.map((kennitala) => `- ${kennitala}`),
  ...(added.length + removed.length === 0 ? ['Nobody was added or removed.'] : []),
];
