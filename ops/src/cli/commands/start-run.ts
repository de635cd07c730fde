import type { Command } from 'commander';
import { runsPage } from '../../../../functions/src/ops/schemas/runs.ts';
import type { WireRunRecord } from '../../../../functions/src/ops/schemas.ts';
import type { Api } from '../api.ts';
import type { Cli } from '../cli.ts';
import { type Mirror, mirrorArgument } from '../mirror-argument.ts';
import { OpsError } from '../ops-error.ts';
import { showStarted, startRun } from '../start-run.ts';
import { shownNumber, shownTime } from '../text.ts';

/** How far back the plan that is approved is looked for. */
const RECENT_RUNS = 100;

interface Approver {
  readonly operator: string;
  readonly reason: string;
}

/** plan, sync and approve: a run of one mirror, in three degrees. */
export const addStartRun = (program: Command, cli: Cli): void => {
  program
    .command('plan')
    .description('A dry run: what a run of this mirror would change and cost. Changes nothing.')
    .addArgument(mirrorArgument())
    .addHelpText(
      'after',
      '\nExit code 2 when the guard would refuse it.\n\nExample:\n  npm run ops -- plan roster',
    )
    .action(
      cli.action(async (session, mirror: Mirror, _options: object) =>
        showStarted(
          session,
          await startRun(session, {
            path: '/runs',
            body: { mirror, dryRun: true },
            text: `Planning a run of the ${mirror}`,
          }),
        ),
      ),
    );
  program
    .command('sync')
    .description('Runs this mirror now, as its schedule would.')
    .addArgument(mirrorArgument())
    .addHelpText(
      'after',
      '\nExample:\n  npm run ops -- sync roster\n  npm run ops -- sync portal --yes --json',
    )
    .action(
      cli.action(async (session, mirror: Mirror, _options: object) => {
        await session.confirm(`Run the ${mirror} now?`);
        return showStarted(
          session,
          await startRun(session, { path: '/runs', body: { mirror }, text: `Running the ${mirror}` }),
        );
      }),
    );
  program
    .command('approve')
    .description('Lets one plan through that the guard refused: that one, and no other.')
    .addArgument(mirrorArgument())
    .argument('<plan>', 'the 64 digits of the plan, as plan, sync or rollback showed them')
    .requiredOption('--operator <name>', 'who approves')
    .requiredOption('--reason <text>', 'why it is right')
    .addHelpText(
      'after',
      '\nExample:\n  npm run ops -- approve roster PLAN --operator "Name" --reason "register cleaned up"',
    )
    .action(
      cli.action(async (session, mirror: Mirror, planId: string, { operator, reason }: Approver) => {
        if (!/^[0-9a-f]{64}$/.test(planId)) throw new OpsError('A plan has 64 digits, from 0 to f.');
        const planned = await findPlan(session.api, mirror, planId);
        await session.confirm(`${describePlan(planned)} Let it through?`);
        // What is confirmed is what was shown: the API holds the number against the plan's own.
        const approve = { planId, operator, reason, removed: planned.changes?.removed ?? 0 };
        return showStarted(
          session,
          await startRun(session, {
            ...(planned.rollbackOf === null
              ? { path: '/runs', body: { mirror, approve } }
              : { path: '/roster/rollback', body: { generation: planned.rollbackOf, approve, reason } }),
            text: `Running the ${mirror}`,
          }),
        );
      }),
    );
};

/** The run that made the plan: what is approved has to be shown, and a rollback is approved as one. */
const findPlan = async (api: Api, mirror: Mirror, planId: string): Promise<WireRunRecord> => {
  const { runs } = await api.get('/runs', runsPage, { mirror, limit: RECENT_RUNS });
  const planned = runs.find((run) => run.planId === planId);
  if (planned !== undefined) return planned;
  throw new OpsError(
    `None of the last ${RECENT_RUNS} runs of the ${mirror} has that plan. Make a new one: plan.`,
  );
};

const describePlan = ({ changes, timestamp, rollbackOf }: WireRunRecord): string =>
  `The plan of ${shownTime(timestamp)}${rollbackOf === null ? '' : `, back to version ${rollbackOf},`} adds ${shownNumber(changes?.added)} and removes ${shownNumber(changes?.removed)}.`;
