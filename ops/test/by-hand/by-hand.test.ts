import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKennitalaNumber, spellKennitala } from '../../../local/src/registry/kennitalas.ts';
import { readExport } from '../../src/by-hand/read-export.ts';
import { ROOT } from '../../src/deploy/root.ts';
import { ENV_FILE, PROJECT } from '../deploy/ready-project.ts';

const MEMBERS = [
  ...new Set(Array.from({ length: 320 }, (_, n) => spellKennitala(makeKennitalaNumber(1, n, 0)))),
]
  .slice(0, 300)
  .toSorted();
const FEWER = MEMBERS.slice(40);
const GENERATION = '1795402800123456';
const linesOf = (kennitalas: readonly string[]) => kennitalas.map((kennitala) => `${kennitala}\n`).join('');
const exportOf = (kennitalas: readonly string[], count = kennitalas.length) =>
  JSON.stringify({ count, kennitalas: kennitalas.toReversed(), exported_at: '2026-11-20T03:00:00Z' });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'by-hand-'));
  await writeFile(join(folder, `.env.${PROJECT}`), ENV_FILE);
  await writeFile(join(folder, 'published.txt'), linesOf(MEMBERS));
});
afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));

const OUT = 'kennitalas.txt';
const out = () => readFile(join(folder, OUT), 'utf8').catch(() => null);
const byHand = async (exported: string, more: readonly string[] = []) => {
  await writeFile(join(folder, 'export'), exported);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'ops/src/by-hand/main.ts'),
      ...['--project', PROJECT, '--settings', folder, '--export', 'export', '--out', OUT],
      ...['--published', 'published.txt', '--generation', GENERATION, ...more],
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  return { status, said: stdout + stderr };
};

describe('a list by hand', () => {
  it('is what a run would publish, with the command that publishes it over the version that was looked at', async () => {
    const { status, said } = await byHand(exportOf(MEMBERS.slice(2)));
    expect(status).toBe(0);
    const list = await out();
    expect(list).toBe(linesOf(MEMBERS.slice(2)));
    expect(said).toContain('298 members: 0 added, 2 removed');
    expect(said).toContain(`--if-generation-match=${GENERATION} '--content-type=text/plain; charset=utf-8'`);
    expect(said).toContain(
      `sha256=${createHash('sha256')
        .update(list ?? '')
        .digest('hex')}`,
    );
    expect((await stat(join(folder, OUT))).mode & 0o777).toBe(0o600);
  });

  it('names nobody', async () => {
    const { said } = await byHand(exportOf(FEWER), ['--accept']);
    for (const kennitala of MEMBERS) expect(said).not.toContain(kennitala);
  });

  it('that loses many is refused, until somebody has looked', async () => {
    const refused = await byHand(exportOf(FEWER));
    expect(refused.status).toBe(2);
    expect(refused.said).toContain('guard: 40 members would be removed');
    expect(await out()).toBeNull();
    expect((await byHand(exportOf(FEWER), ['--accept'])).status).toBe(0);
    expect(await out()).toBe(linesOf(FEWER));
  });

  it.each([
    ['an export with fewer than it says', exportOf(MEMBERS, 301), [], 'Nothing was changed'],
    ['an empty export', exportOf([]), [], 'no member'],
    ['an export that was cut off', exportOf(MEMBERS).slice(0, 200), [], 'cut off'],
    ['a login page', '<html>', [], 'web page'],
    ['another document', '{"members": []}', [], 'agreed form'],
    ['lines without a count', linesOf(MEMBERS), [], '--count'],
    ['lines that were cut off', linesOf(FEWER), ['--count', '300'], 'Nothing was changed'],
    ['a count that differs', exportOf(MEMBERS), ['--count', '299'], '--count says 299'],
  ])('is not made from %s, and --accept does not help', async (_title, exported, more, word) => {
    const { status, said } = await byHand(exported, [...more, '--accept']);
    expect(status).toBe(1);
    expect(said).toContain(word);
    expect(await out()).toBeNull();
    for (const kennitala of MEMBERS.slice(0, 5)) expect(said).not.toContain(kennitala);
  });

  it('is made from lines with a count, and never over a file that is there', async () => {
    const first = await byHand(linesOf(MEMBERS.toReversed()), ['--count', '300']);
    expect(first.status).toBe(0);
    expect(await out()).toBe(linesOf(MEMBERS));
    const again = await byHand(linesOf(MEMBERS), ['--count', '300']);
    expect(again.status).toBe(1);
    expect(again.said).toContain('exist');
  });
});

it('a byte order mark of a spreadsheet is no part of the first number', () => {
  expect(readExport(`\uFEFF${MEMBERS[0]}\r\n${MEMBERS[1]}\r\n`, 2).kennitalas).toEqual(MEMBERS.slice(0, 2));
});

it('takes the options with which the runbook calls it', async () => {
  const runbook = await readFile(join(ROOT, 'docs/runbook.md'), 'utf8');
  const section = runbook.split('## Manual fallback')[1]?.split('\n## ')[0] ?? '';
  const called = /npm run by-hand -- ((?:.*\\\n)?.*)/.exec(section)?.[1] ?? '';
  const options = [
    ...`${called} ${section}`.matchAll(/--(?:project|export|published|generation|out|count|accept)\b/g),
  ];
  const { stdout } = spawnSync(process.execPath, [join(ROOT, 'ops/src/by-hand/main.ts'), '--help'], {
    encoding: 'utf8',
  });
  expect(new Set(options.map(([option]) => option)).size).toBe(7);
  for (const [option] of called.matchAll(/--[a-z]+/g)) expect(stdout).toContain(`${option} <`);
});
