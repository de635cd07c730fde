import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startCli } from '../../../local/test/cli/run-cli.ts';
import { makePlace } from '../../../local/test/stack/place.ts';
import { startOfficialSuite } from './support/official-suite.ts';
import { makeProjectFolder } from './support/project-folder.ts';

const PAGE = new URL('../../../docs/local-stack.md', import.meta.url);
/** What the page's stack is moved by, so that it stands beside the emulators. */
const SHOWN_OFFSET = 100;
/** The first start installs firebase-tools, and two stacks start one after the other. */
const LIMIT_MS = 600_000;

/** The command lines of the page's chapter on the official emulators, each in one line. */
const readCommands = async (): Promise<readonly string[]> => {
  const [, chapter = ''] = (await readFile(PAGE, 'utf8')).split(
    '## Run it by hand in the official emulators',
  );
  return [...chapter.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .replaceAll(/\\\n\s*/g, '')
      .trim()
      .split('\n'),
  );
};

it('Monday’s run in the official emulators beside `npm start`, by the lines that docs/local-stack.md shows', {
  timeout: LIMIT_MS,
}, async () => {
  const [start = '', build, settings = '', emulators = '', run = '', ...more] = await readCommands();
  expect([build, more]).toEqual(['npm run build', []]);
  const [, shownToken = ''] = /^DJANGO_API_TOKEN=(\w+) npm start -- --port-offset 100$/.exec(start) ?? [];
  const [, tools = '', only] =
    /npx (firebase-tools@[\d.]+) emulators:start --project demo-ekklesia --only ([\w,]+)$/.exec(emulators) ??
    [];
  expect(only).toBe('functions,auth');

  const place = await makePlace();
  const stack = startCli([...place.args, '--members', '120'], { DJANGO_API_TOKEN: shownToken });
  await stack.shows('The stack stays up');

  const folder = await makeProjectFolder();
  onTestFinished(() => folder.remove());
  /** With the ports of this test for those of the page. */
  const moved = (line: string): string =>
    line
      .replaceAll(/(?<=127\.0\.0\.1:)(?!5001)\d+/g, (port) =>
        String(Number(port) - SHOWN_OFFSET + place.portOffset),
      )
      .replaceAll(':5001/', `:${folder.ports.functions}/`);
  const shell = (line: string) => promisify(execFile)('bash', ['-c', moved(line)], { cwd: folder.path });
  await shell(settings);
  const servers = Object.fromEntries(
    [...moved(emulators).matchAll(/(\w+_EMULATOR_HOST)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  expect(Object.keys(servers)).toHaveLength(2);
  const suite = await startOfficialSuite({ folder, firestoreJar: null, servers, tools });
  onTestFinished(() => suite.stop());
  await shell(run);

  await expect.poll(suite.output, { timeout: 45_000 }).toContain('Sync completed successfully');
  expect(suite.output()).toMatch(/Sync completed successfully[\s\S]*?"memberCount":\s*120/);
});
