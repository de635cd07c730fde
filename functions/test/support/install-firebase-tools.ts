import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.local', import.meta.url));
const PROGRAM = 'node_modules/firebase-tools/lib/bin/firebase.js';

/**
 * The real firebase-tools, for example `firebase-tools@14.27.0`, kept between runs in a folder of its own: 300 MB that
 * `npm ci` has no need of. Answers the path of its program. What is installed half-way is never found by the next run.
 * @throws Error with what npm said
 */
export const installFirebaseTools = async (version: string): Promise<string> => {
  const folder = join(CACHE, version.replace('@', '-'));
  const program = join(folder, PROGRAM);
  if (existsSync(program)) return program;
  await mkdir(CACHE, { recursive: true });
  const installing = await mkdtemp(`${folder}-`);
  try {
    await writeFile(join(installing, 'package.json'), '{"private": true}');
    const { status, stderr } = spawnSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--ignore-scripts', version],
      { cwd: installing, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`${version} could not be installed: ${stderr.slice(-500)}`);
    await rename(installing, folder);
  } catch (cause) {
    await rm(installing, { recursive: true, force: true, maxRetries: 5 });
    // Another run was first.
    if (!existsSync(program)) throw cause;
  }
  return program;
};
