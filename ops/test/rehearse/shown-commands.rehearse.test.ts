import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installFirebaseTools } from '../../../functions/test/support/install-firebase-tools.ts';
import { FIREBASE_TOOLS } from '../../src/deploy/deploy-with-firebase.ts';
import { gcloudCommands, shownCommands } from '../deploy/shown-text.ts';
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
    rmSync(folder, { recursive: true, maxRetries: 5 });
  }
};

it.skipIf(!hasGcloud)(
  'every gcloud command that a document or message shows is one that gcloud takes',
  async () => {
    const commands = gcloudCommands();
    const judged = judge(commands);
    expect(
      judged.filter(({ success }) => !success).map((one) => `${one.command_string}: ${one.error_message}`),
    ).toEqual([]);
    expect(judged.length).toBeGreaterThan(60);
    // What a machine without gcloud holds the documents to: `npm run rehearse -- -u` writes it anew.
    await expect(`${commands.join('\n')}\n`).toMatchFileSnapshot('../deploy/fixtures/gcloud-takes.txt');
  },
);

it.skipIf(!hasGcloud)('gcloud refuses a command that is not one, and an option that it has not', () => {
  const wrong = [
    'gcloud scheduler jobs continue JOB --location europe-west2 --project demo-project',
    'gcloud logging read x --fresh 1d --project demo-project',
    'gcloud secrets versions list --project demo-project',
  ];
  expect(judge(wrong).map(({ success }) => success)).toEqual([false, false, false]);
});

interface FirebaseCommand {
  readonly options: readonly { readonly long: string }[];
}

/** firebase-tools ignores an option that it does not know, so its commands are asked which they have. */
it('every firebase command that a document or message shows exists, with its options', async () => {
  const program = await installFirebaseTools(FIREBASE_TOOLS);
  const { cli, getCommand } = createRequire(program)('firebase-tools') as {
    cli: FirebaseCommand;
    getCommand(name: string): FirebaseCommand | undefined;
  };
  const shown = ['firebase', `npx ${FIREBASE_TOOLS}`, 'npx X']
    .flatMap(shownCommands)
    .flatMap(({ file, line }) => {
      const [, name = '', rest = ''] = /(?:firebase|npx \S+) ([a-z]+(?::[a-z]+)*)(.*)/.exec(line) ?? [];
      // What names no project is a sentence about the program.
      return /--project|projects:/.test(line)
        ? [{ file, line, name, options: rest.match(/--[a-z-]+/g) ?? [] }]
        : [];
    });
  expect(shown.length).toBeGreaterThan(4);
  const unknown = shown.filter(({ name, options }) => {
    const own = getCommand(name)?.options;
    const known = new Set([...(own ?? []), ...cli.options].map(({ long }) => long));
    return own === undefined || options.some((option) => !known.has(option));
  });
  expect(unknown).toEqual([]);
  expect(getCommand('projects:add')).toBeUndefined();
});
