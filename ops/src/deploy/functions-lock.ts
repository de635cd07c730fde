import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ROOT } from './root.ts';

/** Of a lock file of npm, what is looked at. */
export const lockFile = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      dependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
export type LockFile = z.output<typeof lockFile>;

export const FUNCTIONS_LOCK = join(ROOT, 'functions/package-lock.json');

/**
 * The lock file of `functions/` alone, which `firebase deploy` uploads and Cloud Build installs by `npm ci`. It is what the
 * repository's own lock file says, without what the functions do not need, so that what was tested is what runs. npm
 * does the work and asks the registry for nothing that is locked already.
 */
export const makeFunctionsLock = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'functions-lock-'));
  try {
    await copyFile(join(ROOT, 'functions/package.json'), join(folder, 'package.json'));
    const { packages, ...rest } = await readLock(join(ROOT, 'package-lock.json'));
    const kept = Object.entries(packages).flatMap(([path, entry]): [string, object][] => {
      if (path === 'functions') return [['', entry]];
      if (path.startsWith('functions/node_modules/')) return [[path.slice('functions/'.length), entry]];
      const isOthers = !path.startsWith('node_modules/') || 'link' in entry;
      return isOthers || `functions/${path}` in packages ? [] : [[path, entry]];
    });
    const file = join(folder, 'package-lock.json');
    await writeFile(file, JSON.stringify({ ...rest, packages: Object.fromEntries(kept) }));
    await promisify(execFile)('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit'], {
      cwd: folder,
      env: { ...process.env, npm_config_omit_lockfile_registry_resolved: 'true' },
    });
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true });
  }
};

export const readLock = async (file: string): Promise<LockFile> =>
  lockFile.parse(JSON.parse(await readFile(file, 'utf8')));

if (import.meta.main) await writeFile(FUNCTIONS_LOCK, await makeFunctionsLock());
