import type { Command } from 'commander';
import { rosterVersions } from '../../../../functions/src/ops/schemas/runs.ts';
import type { RosterVersions } from '../../../../functions/src/ops/schemas.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { OpsError } from '../ops-error.ts';
import { isRefused } from '../run-lines.ts';
import type { Session } from '../session.ts';
import { showStarted, startRun } from '../start-run.ts';
import { tableLines } from '../table.ts';
import { shownNumber, shownTime } from '../text.ts';

const EXAMPLE = `
Without a version it shows those that are kept. With one it first plans, and
shows what would change; then it asks. The roster is paused afterwards, or the
next run would undo it.

Example:
  npm run ops -- rollback
  npm run ops -- rollback 1795402800123456 --dry-run
  npm run ops -- rollback --run 20261116T030000Z-1f2e3d4c --reason "wrong export"`;

interface RollbackOptions {
  readonly run?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export const addRollback = (program: Command, cli: Cli): void => {
  program
    .command('rollback')
    .description('Brings an earlier version of the roster back, and pauses the roster.')
    .argument('[version]', 'number of the version')
    .option('--run <id>', 'the version that this run published')
    .option('--reason <text>', 'why; stands in the record and in the pause')
    .option('--dry-run', 'only show what would change')
    .addHelpText('after', EXAMPLE)
    .action(
      cli.action(async (session, generation: string | undefined, options: RollbackOptions) => {
        const { run: runId, reason, dryRun } = options;
        if (generation === undefined && runId === undefined) return showVersions(session);
        if (generation !== undefined && runId !== undefined) {
          throw new OpsError('Name a version or a run, not both.');
        }
        const which = generation === undefined ? { runId } : { generation };
        const planned = await startRun(session, {
          path: '/roster/rollback',
          body: { ...which, dryRun: true },
          text: 'Planning the rollback',
        });
        const isPlanned = planned.run.outcome === 'dry-run';
        if (dryRun === true || !isPlanned || isRefused(planned.run)) return showStarted(session, planned);
        if (reason === undefined) throw new OpsError('A rollback needs --reason. Nothing was done.');
        const { added, removed } = planned.run.changes ?? { added: null, removed: null };
        await session.confirm(
          `That adds ${shownNumber(added)} and removes ${shownNumber(removed)}, leaves ${shownNumber(planned.run.memberCount)} members, and pauses the roster. Roll back?`,
        );
        const started = await startRun(session, {
          path: '/roster/rollback',
          body: { ...which, reason },
          text: 'Rolling back',
        });
        const code = showStarted(session, started);
        if (code === EXIT_CODES.done) {
          session.note(
            `The roster is paused. When its source is right again: ${session.commandLine('resume roster --reason TEXT')}`,
          );
        }
        return code;
      }),
    );
};

const showVersions = async ({ api, show }: Session) => {
  const found = await api.get('/roster/versions', rosterVersions);
  show(found, () => versionsLines(found));
  return EXIT_CODES.done;
};

const versionsLines = ({ versions }: RosterVersions): string[] =>
  versions.length === 0
    ? ['No version of the list is kept.']
    : tableLines(
        [
          { head: 'version', width: 20 },
          { head: 'published', width: 16 },
          { head: 'members', width: 9, align: 'right' },
          { head: 'run', width: 25 },
        ],
        versions.map(({ generation, publishedAt, memberCount, runId, isCurrent }) => [
          isCurrent ? `${generation} *` : generation,
          shownTime(publishedAt),
          shownNumber(memberCount),
          runId ?? '-',
        ]),
      ).concat('* the list as it is now');
