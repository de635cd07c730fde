import { type Command, Option } from 'commander';
import { conflictAnswer, conflictsPage } from '../../../../functions/src/ops/schemas/two-way.ts';
import type { Cli } from '../cli.ts';
import { conflictLines, conflictsLines } from '../conflict-lines.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { wholeNumber } from '../whole-number.ts';
import { addResolve } from './resolve.ts';

interface ListOptions {
  readonly state: string;
  readonly limit: number;
  readonly before?: string;
}

export const addConflicts = (program: Command, cli: Cli): void => {
  const conflicts = program
    .command('conflicts')
    .description('Fields that a member and the registry both changed, newest first.')
    .addOption(
      new Option('--state <state>', 'that are so').choices(['open', 'resolved', 'all']).default('open'),
    )
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .option('--before <cursor>', 'the next page, as the page before it named it')
    .addHelpText('after', '\nExample:\n  npm run ops -- conflicts\n  npm run ops -- conflicts show ID')
    .action(
      cli.action(async ({ api, show, note, commandLine }, { state, limit, before }: ListOptions) => {
        const query = { state: state === 'all' ? undefined : state, limit, before };
        const page = await api.get('/conflicts', conflictsPage, query);
        show(page, () => (page.conflicts.length === 0 ? ['No conflicts.'] : conflictsLines(page.conflicts)));
        if (page.conflicts.some(({ state: is }) => is === 'open')) {
          note(`To decide one: ${commandLine('conflicts resolve ID')}`);
        }
        if (page.next !== null) note(`There are older ones: --before ${page.next}`);
        return EXIT_CODES.done;
      }),
    );
  conflicts
    .command('show')
    .description('One conflict with both values. They are personal: the look is recorded.')
    .argument('<conflict>', 'id of the conflict')
    .addHelpText('after', '\nExample:\n  npm run ops -- conflicts show ID')
    .action(
      cli.action(async ({ api, show, note }, id: string, _options: object) => {
        const answer = await api.get(`/conflicts/${encodeURIComponent(id)}`, conflictAnswer);
        show(answer, () => conflictLines(answer.conflict));
        note('These are personal data. That you looked at them is recorded.');
        return EXIT_CODES.done;
      }),
    );
  addResolve(conflicts, cli);
};
