import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shownCommands } from '../deploy/shown-text.ts';
import { hasGcloud } from './rehearsal.ts';

interface Judged {
  readonly command_string: string;
  readonly success: boolean;
  readonly error_message: string | null;
}

/** gcloud's own parser, which judges a command without running it. */
const judge = (commands: readonly string[]): Judged[] => {
  const folder = mkdtempSync(join(tmpdir(), 'shown-'));
  try {
    const file = join(folder, 'commands.json');
    writeFileSync(file, JSON.stringify(commands.map((command_string) => ({ command_string }))));
    const args = ['meta', 'lint-gcloud-commands', `--commands-file=${file}`];
    const env = { ...process.env, CLOUDSDK_CONFIG: folder };
    const printed = execFileSync('gcloud', args, { env, encoding: 'utf8', maxBuffer: 1e9, stdio: 'pipe' });
    return JSON.parse(printed);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** A command with values in the place of what a person fills in; null: it is a sentence about gcloud. */
const filledIn = (line: string): string | null => {
  // What is quoted may hold the signs at which a command ends: gcloud's linter has its own quarrels with quotes.
  if (/[…$<'"]|\.\.\./.test(line) || !/^gcloud [a-z]+ [a-z-]+ /.test(line)) return null;
  return line
    .replace(/([( ])P(?=[ .,]|$)/g, '$1demo-project')
    .replace(/(?<=[ ])I(?=[ .,]|$)/g, 'instance')
    .replace(/[.,]$/, '')
    .trim();
};

it.skipIf(!hasGcloud)(
  'every gcloud command of the documents is one that gcloud takes',
  { timeout: 600_000 },
  () => {
    const commands = shownCommands('gcloud')
      .filter(({ file }) => file.endsWith('.md'))
      .flatMap(({ line }) => filledIn(line) ?? []);
    expect(commands.length).toBeGreaterThan(40);
    const refused = judge([...new Set(commands)]).filter(({ success }) => !success);
    expect(refused.map(({ command_string, error_message }) => `${command_string}: ${error_message}`)).toEqual(
      [],
    );
  },
);
