import { describe, expect, it } from 'vitest';
import { makeFindings } from '../../../functions/src/ops/findings.ts';
import { healthReason, twoWayReason } from '../../../functions/src/ops/schemas/status.ts';
import type {
  HealthReason,
  MirrorStatus,
  StatusAnswer,
  TwoWayReason,
} from '../../../functions/src/ops/schemas.ts';
import { QUIET, WELL, wellMirror } from '../../../functions/test/ops/support/status-answers.ts';
import { makeCli } from '../../src/cli/cli.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { runbookOf } from '../../src/cli/remedies.ts';
import { PROCESS_TERMINAL } from '../../src/cli/terminal.ts';
import { startServer } from './http-server.ts';
import { runOps, tooWide } from './run-ops.ts';

const RUN = '20261120T120000Z-0123abcd';

const rosterThat = (...why: HealthReason[]): MirrorStatus => ({
  ...wellMirror('roster'),
  healthy: false,
  why,
  lastRun: { runId: RUN, outcome: 'failed', errorCode: 'registry_timeout', at: WELL.at },
  paused: { reason: 'The registry is moved', by: 'operator', since: WELL.at },
});
const wayBackThat = (...why: TwoWayReason[]): StatusAnswer['twoWay'] => ({
  ...QUIET,
  healthy: false,
  why,
});

const statusOf = async (status: Partial<StatusAnswer>) => {
  const answer = { ...WELL, healthy: false, ...status };
  const findings = makeFindings({ ...answer, blocked: new Map() });
  const { url } = await startServer(() => ({ status: 200, body: { ...answer, findings } }));
  const { stdout, code } = await runOps(['status', '--url', url], { env: { OPS_TOKEN: 'token' } });
  expect(code).toBe(1);
  return stdout;
};

/** The commands that the status advises, without what names the place. */
const advised = (stdout: string): string[] =>
  [...stdout.matchAll(/^ {2}npm run ops -- (.+) --url \S+$/gm)].map(([, command]) => command ?? '');

const nameOf = ([first = '']: readonly string[]): string => first;

describe('the status says what to do', () => {
  const commands = makeProgram(makeCli(PROCESS_TERMINAL)).commands.map((command) => command.name());

  it.each(healthReason.options)('about a mirror that is %s, with a command that exists', async (why) => {
    const stdout = await statusOf({ mirrors: [rosterThat(why)] });
    const [command, ...more] = advised(stdout);
    expect(more).toEqual([]);
    expect(commands).toContain(nameOf(command?.split(' ') ?? []));
    expect(tooWide(stdout.replaceAll(/^ {2}npm run .*$/gm, ''))).toEqual([]);
  });

  it.each(twoWayReason.options)('about %s on the way back, with a command that exists', async (why) => {
    const [command] = advised(await statusOf({ twoWay: wayBackThat(why) }));
    expect(commands).toContain(nameOf(command?.split(' ') ?? []));
  });

  it('once about a pause, however long it is, and about the very run that failed', async () => {
    const stdout = await statusOf({ mirrors: [rosterThat('paused', 'paused_too_long', 'last_run_failed')] });
    expect(advised(stdout)).toEqual(['resume roster --reason TEXT', `runs show ${RUN}`]);
  });

  it('names nothing to do when all is well', async () => {
    const { url } = await startServer(() => ({ status: 200, body: WELL }));
    const { stdout } = await runOps(['status', '--url', url], { env: { OPS_TOKEN: 'token' } });
    expect(stdout).toContain('All is well.');
    expect(advised(stdout)).toEqual([]);
  });
});

it('a refusal names the section of the runbook, and an unknown code none', async () => {
  const refusedWith = async (code: string) => {
    const { url } = await startServer(() => ({ status: 503, body: { code, detail: 'what is wrong' } }));
    return (await runOps(['status', '--url', url], { env: { OPS_TOKEN: 'token' } })).stderr;
  };
  expect(await refusedWith('store_unavailable')).toContain('What to do: docs/runbook.md#store_unavailable');
  expect(await refusedWith('of_the_future')).not.toContain('runbook');
  expect(runbookOf('toString')).toBeNull();
});
