import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['functions', 'local', 'ops', 'dashboard', 'django', 'contract', 'bench', 'docs'];

/** The persons that Registers Iceland made up and published for tests (https://docs.devland.is, "Gervimenn"). */
const PUBLISHED = [
  '0101302399',
  '0101302719',
  '0101302989',
  '0101303019',
  '0101304929',
  '0101305069',
  '0101307789',
];

/**
 * A day and a month that exist, then a serial from 20 on: those that the registry of persons gives. Whoever was born before
 * 1880 (century 8) was dead when numbers were first given out.
 */
const MAY_BE_SOMEBODYS =
  /(?<![\w.])((?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:\d\d(?=-?\d{3}[09])|[89]\d))-?([2-9]\d\d[089])(?![\w.])/g;

it('no number in the tests, the sources and the pages can be a person’s: serials in use begin at 20, generated ones stay below', () => {
  const files = FOLDERS.flatMap((folder) =>
    globSync(`${folder}/**/*.{ts,tsx,py,json,jsonl,txt,csv,md}`, {
      cwd: ROOT,
      exclude: (name) => /node_modules|dist/.test(name),
    }),
  );
  expect(files.length).toBeGreaterThan(300);
  const found = files.flatMap((file) =>
    [...readFileSync(`${ROOT}${file}`, 'utf8').matchAll(MAY_BE_SOMEBODYS)]
      .map(([, date = '', rest = '']) => `${date}${rest}`)
      .filter((number) => !PUBLISHED.includes(number))
      .map((number) => `${file}: ${number}`),
  );
  expect(found).toEqual([]);
});
