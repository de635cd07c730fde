import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { buildWhereOlder } from '../support/build-setup.ts';

/** A build that takes the source as it is. */
const BUILD = `import { cpSync } from 'node:fs';
cpSync(new URL('src/index.ts', import.meta.url), new URL('lib/index.js', import.meta.url));
`;

it('tests read what was built of the sources as they are, or nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'build-setup-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  /** @param second Of the file's last change. */
  const put = (name: string, text: string, second: number) => {
    writeFileSync(join(folder, name), text);
    utimesSync(join(folder, name), second, second);
  };
  const built = () => {
    buildWhereOlder(folder);
    return readFileSync(join(folder, 'lib/index.js'), 'utf8');
  };
  await mkdir(join(folder, 'src/deeper'), { recursive: true });
  put('build.js', BUILD, 1);
  put('src/index.ts', 'first', 1);
  expect(built()).toBe('first');

  put('lib/index.js', 'kept', 10);
  expect(built()).toBe('kept');
  put('src/index.ts', 'second', 9);
  expect(built()).toBe('kept');
  put('src/deeper/other.ts', '', 10);
  expect(built()).toBe('second');

  put('lib/index.js', 'kept', 10);
  put('build.js', 'process.exit(1);', 11);
  expect(built).toThrow('ENOENT');
});
