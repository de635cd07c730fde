import { afterEach, beforeEach, expect, it } from 'vitest';
import { commandLine, makeShell } from '../../src/deploy/shell.ts';
import { failure } from './gcloud-prints.ts';
import { makeStandIns, type StandIns } from './stand-in-commands.ts';

let standIns: StandIns;
beforeEach(async () => {
  standIns = await makeStandIns(['gcloud']);
});
afterEach(() => standIns.remove());

const shell = (dryRun = false, say: (line: string) => void = () => undefined) =>
  makeShell({ dryRun, env: standIns.env, say });

it.each([
  [['a', '--b=c,d', 'gs://e'], 'x a --b=c,d gs://e'],
  [['two words'], "x 'two words'"],
  [["it's"], "x 'it'\\''s'"],
  [['--database=(default)'], "x '--database=(default)'"],
  [['$HOME;rm'], "x '$HOME;rm'"],
  [[''], "x ''"],
])('%j is shown as a person would type it', (args, expected) => {
  expect(commandLine('x', args)).toBe(expected);
});

it('a program that is not there is a failure, not an empty answer', async () => {
  await expect(shell().read('firebase', ['--version'])).rejects.toThrow('could not be run');
  await expect(shell().tryRead('firebase', [])).rejects.toThrow('could not be run');
});

it.each(['noBucket', 'noSecret', 'noRepository', 'noDatabase'] as const)(
  'what gcloud says where there is %s is null',
  async (kind) => {
    await standIns.answer({ to: 'gcloud absent', ...failure(kind) });
    expect(await shell().tryRead('gcloud', ['absent'])).toBeNull();
  },
);

it.each(['deniedVersions', 'deniedRevisions', 'deniedFunctions', 'deniedPolicy'] as const)(
  'what may not be seen is a failure, though it may not exist either: %s',
  async (kind) => {
    await standIns.answer({ to: 'gcloud refused', ...failure(kind) });
    await expect(shell().tryRead('gcloud', ['refused'])).rejects.toThrow('not have permission');
  },
);

it('what gcloud says of reporting its own faults does not hide the fault', async () => {
  const report = [
    '',
    'If you would like to report this issue, please run:',
    '  gcloud feedback',
    '',
    'To check gcloud:',
    '  gcloud info',
  ];
  const print = ["ERROR: gcloud crashed (AttributeError): 'NoneType' object", ...report].join('\n');
  await standIns.answer({ to: 'gcloud crashed', status: 1, print });
  await expect(shell().read('gcloud', ['crashed'])).rejects.toThrow('AttributeError');
});

it('a dry run asks, shows what it would change, and does not change it', async () => {
  const said: string[] = [];
  const dry = shell(true, (line) => void said.push(line));
  await dry.read('gcloud', ['ask']);
  await dry.change('gcloud', ['do', 'it']);
  expect(await standIns.calls()).toEqual(['gcloud ask']);
  expect(said).toEqual(['    $ gcloud do it']);
});
