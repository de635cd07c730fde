import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { WELL, wellMirror } from '../../../functions/test/ops/support/status-answers.ts';
import { printable, printableIn, printableLines } from '../../src/cli/text.ts';
import { startServer } from './http-server.ts';
import { runOps } from './run-ops.ts';

/** What a terminal would obey: cursor, colours, C1, lines, direction, no width, half a character. */
const OBEYED = [
  '\u001b[2J\u001b]0;x\u0007',
  '\u009b31m',
  '\u0085',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u2028',
  '\r\n',
  '\ud83d',
];
const HOSTILE = `moved${OBEYED.join('.')}end`;
const env = { OPS_TOKEN: 'token of the test' };

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

it('what a terminal obeys is shown as JSON would write it, and all else as it is', () => {
  expect(printable('Þóra 👩‍🚀'.replace('\u200d', ''))).toBe('Þóra 👩🚀');
  for (const text of OBEYED) {
    expect(printable(text)).not.toMatch(RAW);
    expect(JSON.parse(`"${printable(text)}"`)).toBe(text);
  }
  expect(printableLines('a\u001b\nb')).toBe('a\\u001b\nb');
  expect(printableIn({ [HOSTILE]: [HOSTILE, 1, null] })).toEqual({
    [printable(HOSTILE)]: [printable(HOSTILE), 1, null],
  });
});

/** The answer with every text in it hostile, where its schema lets it be. */
const paused = {
  ...WELL,
  mirrors: [
    {
      ...wellMirror('roster'),
      paused: { reason: HOSTILE, by: HOSTILE, since: '2026-11-20T03:00:00.000Z' },
    },
  ],
};
const REFUSAL = { status: 409, body: { code: 'invalid_request', detail: HOSTILE, reference: HOSTILE } };

it('a reason with escapes is printed escaped, as lines and as JSON, where it is its own value', async () => {
  const { url } = await startServer(() => ({ status: 200, body: paused }));
  const lines = await runOps(['status', '--url', url], { env });
  expect(lines.stdout).toContain('moved');
  expect(lines.stdout + lines.stderr).not.toMatch(RAW);
  const json = await runOps(['status', '--json', '--url', url], { env });
  expect(json.stdout).not.toMatch(RAW);
  expect(JSON.parse(json.stdout).mirrors[0].paused.reason).toBe(HOSTILE);
});

const COMMANDS: readonly (readonly string[])[] = [
  ['status'],
  ['runs'],
  ['runs', 'show', 'r1'],
  ['plan', 'roster'],
  ['sync', 'roster', '--yes'],
  ['approve', 'roster', 'a'.repeat(64), '--operator', 'N', '--reason', 'x', '--yes'],
  ['rollback', '--reason', 'x', '--yes'],
  ['pause', 'roster', '--reason', 'x', '--yes'],
  ['resume', 'roster', '--reason', 'x', '--yes'],
  ['explain'],
  ['erase', '--reason', 'x', '--yes'],
  ['queue'],
  ['queue', 'show', 'q1'],
  ['queue', 'retry', 'q1', '--reason', 'x', '--yes'],
  ['queue', 'fail', 'q1', '--reason', 'x', '--yes'],
  ['conflicts'],
  ['conflicts', 'show', 'c1'],
  ['conflicts', 'resolve', 'c1', '--keep', 'portal', '--yes'],
];

it.each(COMMANDS.map((command) => [command.join(' '), command] as const))(
  '%s prints what the API says of a refusal escaped',
  async (_title, command) => {
    const { url } = await startServer(() => REFUSAL);
    const { code, stdout, stderr } = await runOps([...command, '--url', url], { env, stdin: '0101001209' });
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toMatch(RAW);
  },
);

it('no command reads an answer or writes to the terminal by another way', () => {
  const folder = fileURLToPath(new URL('../../src/cli/', import.meta.url));
  const writing = globSync('**/*.ts', { cwd: folder }).filter((file) =>
    /console\.|std(?:out|err)\.write|process\.std/.test(readFileSync(`${folder}${file}`, 'utf8')),
  );
  expect(writing.toSorted()).toEqual([
    'main.ts',
    'program.ts',
    'progress.ts',
    'run-cli.ts',
    'session.ts',
    'terminal.ts',
  ]);
});
