import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../functions/src/settings.ts';
import { EXIT_CODES as START_EXIT_CODES } from '../../../local/src/cli/options.ts';
import { PROJECT_ID, REGION } from '../../../local/src/stack.ts';
import { makeCli } from '../../src/cli/cli.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import * as places from '../../src/cli/places.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { PROCESS_TERMINAL } from '../../src/cli/terminal.ts';
import { startServer } from './http-server.ts';
import { runOps, tooWide } from './run-ops.ts';

const commandsOf = (command: Command): Command[] =>
  command.commands.flatMap((one) => [one, ...commandsOf(one)]);
const pathOf = (command: Command): string[] =>
  command.parent === null ? [] : [...pathOf(command.parent), command.name()];

const PATHS = commandsOf(makeProgram(makeCli(PROCESS_TERMINAL))).map((command) => pathOf(command).join(' '));

it.each(PATHS)('the help of %s has an example that names it, in 80 columns', async (path) => {
  const { code, stdout } = await runOps([...path.split(' '), '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain(`npm run ops -- ${path}`);
  expect(stdout).toContain('Example:');
  // Examples are there to be copied, and so are not broken.
  expect(tooWide(stdout).filter((line) => !line.startsWith('  npm run'))).toEqual([]);
});

const BAD_LINES: [line: string, said: string][] = [
  ['', 'Usage:'],
  ['nonsense', 'unknown command'],
  ['status --nonsense', 'unknown option'],
  ['plan', "missing required argument 'mirror'"],
  ['plan everything', 'Allowed choices are roster, portal, register'],
  ['runs --limit 0', 'a whole number from 1 to 200'],
  ['runs --outcome good', 'Allowed choices are published'],
  ['pause roster', "required option '--reason <text>'"],
  ['approve roster abc --operator A --reason B --url https://ops.invalid', '64 digits'],
  ['erase --url https://ops.invalid', 'erase needs --reason'],
  ['rollback 1 --run r --url https://ops.invalid', 'not both'],
  ['doctor --url https://ops.invalid', '--project'],
  ['status --url nonsense', 'https://'],
];

it.each(BAD_LINES)('"%s" ends with code 1 and says what is wrong', async (line, said) => {
  const { code, stdout, stderr } = await runOps(line.split(' ').filter((word) => word !== ''));
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain(said);
});

it.each([
  ['pause roster', 'reason'],
  ['resume roster', 'reason'],
  ['rollback 1', 'reason'],
  ['registry-word --all', 'reason'],
  ['erase', 'reason'],
  ['queue retry abc', 'reason'],
  ['queue fail abc', 'reason'],
  [`approve roster ${'a'.repeat(64)} --operator A`, 'reason'],
  [`approve roster ${'a'.repeat(64)} --reason B`, 'operator'],
])('"%s" sends nobody’s number in its --%s, and does not repeat it', async (line, option) => {
  const { url, asked } = await startServer(() => ({ status: 200, body: {} }));
  for (const number of ['0101302989', '010130-2989', '010130 2989', '0101 302989']) {
    const given = [...line.split(' '), `--${option}`, `see ${number}`, '--yes', '--url', url];
    const { code, stdout, stderr } = await runOps(given, { env: { OPS_TOKEN: 'token' } });
    expect(stderr).toMatch(
      new RegExp(`^--${option} must be .+, without anybody's number\\. Nothing was done`),
    );
    expect(`${stdout}${stderr}`).not.toContain(number);
    expect(code).toBe(1);
  }
  expect(asked).toEqual([]);
});

it('names places as their owners do', () => {
  expect(EXIT_CODES).toEqual(START_EXIT_CODES);
  expect([places.LOCAL_PROJECT, places.REGION]).toEqual([PROJECT_ID, REGION]);
  const settings = {
    DJANGO_BASE_URL: 'https://registry.example.is',
    SYNC_BUCKET: 'lists',
    GCLOUD_PROJECT: 'demo-p',
  };
  expect(parseConfig(settings).callers.audiences).toContain(places.defaultAudience('demo-p'));
});

it("has every command of the README's Monday", async () => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8');
  const table = readme.split('\n## A Monday\n')[1]?.split('\n## ')[0] ?? '';
  const cells = table.split('\n').flatMap((row) => row.split('|')[2] ?? []);
  const commands = cells
    .flatMap((cell) => [...cell.matchAll(/`([a-z]+)[^`]*`/g)].map(([, name]) => name ?? ''))
    .filter((name) => !['npm', 'curl'].includes(name));
  expect(commands.length).toBeGreaterThan(10);
  for (const name of commands) expect(PATHS).toContain(name);
});
