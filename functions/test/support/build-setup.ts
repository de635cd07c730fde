import { spawnSync } from 'node:child_process';
import { globSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a build is made of, in `functions/` and beside it. */
const MADE_OF = ['src/**/*.ts', 'build.js', 'package.json', '../package-lock.json'];

/**
 * Before a run of tests: builds `functions/lib` where it is missing or older than what it is made of. Some tests read it, and would
 * tell of code that is no more. Where it cannot be built those tests find none, and all others run.
 */
export default function setup(): void {
  buildWhereOlder(fileURLToPath(new URL('../..', import.meta.url)));
}

/** @param folder With `build.js`, which makes `lib` of what stands beside it. */
export const buildWhereOlder = (folder: string): void => {
  const builtAt = changedAt(join(folder, 'lib/index.js'));
  const newest = Math.max(...globSync(MADE_OF, { cwd: folder }).map((name) => changedAt(join(folder, name))));
  if (newest < builtAt) return;
  const { status } = spawnSync(process.execPath, [join(folder, 'build.js')], { stdio: 'inherit' });
  if (status !== 0) rmSync(join(folder, 'lib'), { recursive: true, force: true });
};

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
