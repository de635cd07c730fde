import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../src/deploy/root.ts';
import { APIS, REGISTER_APIS } from '../../src/deploy/steps/preflight.ts';
import { gcloudCommands, shownCommands } from './shown-text.ts';

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Where the options of a script are declared. */
const SOURCES: Readonly<Record<string, string>> = {
  deploy: 'ops/src/deploy/main.ts',
  'rollback-deploy': 'ops/src/deploy/rollback-main.ts',
  iam: 'ops/src/deploy/iam-main.ts',
  alerts: 'ops/src/alerts/main.ts',
  operator: 'ops/src/operator/main.ts',
  'by-hand': 'ops/src/by-hand/main.ts',
  ops: 'ops/src/cli/**/*.ts',
  start: 'local/src/cli/options.ts',
};
const optionsOf = (script: string): Set<string> => {
  const text = globSync(SOURCES[script] ?? '', { cwd: ROOT })
    .map((file) => readFileSync(join(ROOT, file), 'utf8'))
    .join('\n');
  return new Set(
    [...text.matchAll(/ption\(\s*['`](?:-\w, )?(--[a-z-]+)|new Option\(\s*'(--[a-z-]+)/g)].map(
      ([, one, other]) => one ?? other ?? '',
    ),
  );
};

describe('every command of the project that a document or a message shows', () => {
  const shown = ['npm run', 'npm start'].flatMap(shownCommands).map((command) => ({
    ...command,
    script: /^npm (?:run )?(?:--silent )?([a-z][a-z:-]*)/.exec(command.line)?.[1] ?? '',
  }));

  it('is a script of package.json', () => {
    expect(shown.length).toBeGreaterThan(50);
    expect(shown.filter(({ script }) => script !== '' && !(script in scripts))).toEqual([]);
  });

  it.each(Object.keys(SOURCES))('names only options that %s has', (script) => {
    const options = optionsOf(script);
    const commands = shown.filter((command) => command.script === script);
    expect(commands).not.toEqual([]);
    const unknown = commands.flatMap(({ file, line }) => {
      const [, given = ''] = line.split(' -- ');
      const named = given.split(/\.(?:\s|$)|, then /)[0]?.match(/(?<=^|\s)--[a-z-]+/g) ?? [];
      return named
        .filter((option) => !options.has(option) && option !== '--help')
        .map((option) => ({ file, line, option }));
    });
    expect(unknown).toEqual([]);
  });

  it('npm run deploy takes every option that one of its messages asks for', () => {
    const messages = globSync('ops/src/deploy/**/*.ts', { cwd: ROOT }).flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/Give (--[a-z-]+)/g)].map(
        ([, option = '']) => option,
      ),
    );
    expect(messages).toContain('--database-owner');
    expect(messages.filter((option) => !optionsOf('deploy').has(option))).toEqual([]);
  });
});

describe('every gcloud command that a document or a message shows', () => {
  const withFlag = (part: RegExp, flag: string) =>
    shownCommands('gcloud')
      .filter(({ line }) => part.test(line))
      .map(({ file, line }) => ({ file, line, has: line.includes(flag) }));

  it.each([
    ['says where its job is', /^gcloud scheduler jobs/, '--location'],
    ['says where its function is', /^gcloud functions logs read/, '--region'],
    ['says how far back it looks', /^gcloud logging read/, '--freshness'],
  ])('%s', (_what, part, flag) => {
    const found = withFlag(part, flag);
    expect(found).not.toEqual([]);
    expect(found.filter(({ has }) => !has)).toEqual([]);
  });

  it('switches on every API that a deployment looks for, and those of a register', () => {
    const enabled = shownCommands('gcloud')
      .filter(({ file, line }) => file === 'docs/deploy.md' && line.startsWith('gcloud services enable'))
      .map(({ line }) => line.match(/[a-z-]+\.googleapis\.com/g)?.toSorted());
    expect(enabled).toEqual([[...APIS].toSorted(), [...REGISTER_APIS].toSorted()]);
  });

  it('is one that the real gcloud took when it was last asked (`npm run rehearse -- -u` asks anew)', () => {
    const taken = readFileSync(new URL('fixtures/gcloud-takes.txt', import.meta.url), 'utf8').split('\n');
    expect(gcloudCommands().filter((command) => !taken.includes(command))).toEqual([]);
  });
});
