import { afterEach, beforeEach, expect, it } from 'vitest';
import { applyAlerts } from '../../src/alerts/apply-alerts.ts';
import { readAlerts } from '../../src/alerts/read-alerts.ts';
import { makeShell } from '../../src/deploy/shell.ts';
import { failure, listed } from '../deploy/gcloud-prints.ts';
import { makeStandIns, type StandIns } from '../deploy/stand-in-commands.ts';

const PROJECT = 'demo-alerts';
const EMAIL = 'operators@example.is';
const CHANNEL = listed('channels', {
  name: `projects/${PROJECT}/notificationChannels/7`,
  labels: { email_address: EMAIL },
});
const policy = (n: number, own: { userLabels?: object } = {}) =>
  listed('policies', { userLabels: undefined, ...own, name: `projects/p/alertPolicies/${n}` });

let standIns: StandIns;

beforeEach(async () => {
  standIns = await makeStandIns(
    ['gcloud', 'firebase'],
    [
      { to: 'logging metrics list', print: '[]' },
      { to: 'monitoring policies list', print: '[]' },
      { to: 'monitoring channels list', print: JSON.stringify([CHANNEL]) },
    ],
  );
});
afterEach(() => standIns.remove());

const apply = async (dryRun = false) => {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  await applyAlerts({ project: PROJECT, email: EMAIL }, makeShell({ dryRun, env: standIns.env, say }), say);
  return { said: lines.join('\n'), calls: await standIns.calls() };
};
const of = (calls: readonly string[], what: string) => calls.filter((call) => call.includes(` ${what} `));

/** The project as it is after everything has been created. */
const created = async () => {
  const { metrics, policies } = await readAlerts();
  await standIns.answer(
    {
      to: 'logging metrics list',
      print: JSON.stringify(metrics.map(({ content: { name } }) => listed('metrics', { name }))),
    },
    {
      to: 'monitoring policies list',
      print: JSON.stringify(policies.map(({ content: { userLabels } }, n) => policy(n, { userLabels }))),
    },
  );
};

it('a new project gets each metric before the policies that look at it', async () => {
  const { metrics, policies } = await readAlerts();

  const { calls } = await apply();

  const made = of(calls, 'create');
  expect(made).toHaveLength(metrics.length + policies.length);
  const lastMetric = made.findLastIndex((call) => call.includes('logging metrics'));
  expect(made.findIndex((call) => call.includes('policies create'))).toBe(lastMetric + 1);
  expect(made.at(-1)).toContain(`--notification-channels=${CHANNEL.name}`);
});

it('what is there is updated, and nothing is made twice', async () => {
  await created();
  const { metrics, policies } = await readAlerts();

  const { calls } = await apply();

  expect(of(calls, 'create')).toEqual([]);
  expect(of(calls, 'update')).toHaveLength(metrics.length + policies.length);
  expect(of(calls, 'policies update')[0]).toContain(`--set-notification-channels=${CHANNEL.name}`);
});

it('a channel is made once for an address that has none that is switched on', async () => {
  await standIns.answer({
    to: 'channels list',
    print: JSON.stringify([
      { ...CHANNEL, enabled: false },
      { ...CHANNEL, labels: { email_address: 'a@b.is' } },
    ]),
  });
  await expect(apply()).rejects.toThrow('was made, but is not in the list');
  expect(of(await standIns.calls(), 'channels create')).toEqual([
    expect.stringContaining(`--channel-labels=email_address=${EMAIL}`),
  ]);
});

it('without --apply the commands are shown, and none is run', async () => {
  const { calls, said } = await apply(true);
  expect(calls.filter((call) => !call.includes(' list '))).toEqual([]);
  expect(said).toContain('gcloud logging metrics create ekklesia_run_failed');
});

it('a list that cannot be read is not an empty one', async () => {
  await standIns.answer({ to: 'policies list', print: 'WARNING: try later' });
  await expect(apply()).rejects.toThrow('the policies cannot be read');
  expect(of(await standIns.calls(), 'create')).toEqual([]);
});

it('a command that fails stops the rest', async () => {
  await standIns.answer({ to: 'metrics create ekklesia_fault', ...failure('deniedMetric') });
  await expect(apply()).rejects.toThrow('does not have permission');
  expect(of(await standIns.calls(), 'policies create')).toEqual([]);
});

it('a policy of ours without a file, or twice there, is named and left to a person', async () => {
  const ours = (n: number, alert: string) => policy(n, { userLabels: { ekklesia_alert: alert } });
  await standIns.answer({
    to: 'policies list',
    print: JSON.stringify([ours(1, 'run-failed'), ours(2, 'run-failed'), ours(3, 'no-longer'), policy(4)]),
  });
  const { calls, said } = await apply();
  expect(of(calls, 'delete')).toEqual([]);
  expect(said.match(/policies delete \S+/g)).toEqual([
    'policies delete projects/p/alertPolicies/2',
    'policies delete projects/p/alertPolicies/3',
  ]);
});
