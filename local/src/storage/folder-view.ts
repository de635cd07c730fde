import { randomUUID } from 'node:crypto';
import { constants, copyFile, link, mkdir, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { hasCode } from './file-errors.ts';
import { makeKeyedLock } from './keyed-lock.ts';
import { collisionPath, viewPath } from './view-path.ts';

/**
 * The bucket's folder as a person sees it: each live object's bytes under its name. It is only a view: the
 * server reads and writes the version files, and a start puts the view right. Files are hard links to the
 * read-only version files (copies where the file system has no links).
 */
export interface FolderView {
  show(name: string, dataFile: string): Promise<void>;
  hide(name: string): Promise<void>;
  /** `show`, unless the right file is there already. */
  repair(name: string, dataFile: string): Promise<void>;
}

export function makeFolderView(folder: string, temporaryFolder: string): FolderView {
  // Removing a folder that became empty must not run between another object's mkdir and its rename.
  const lock = makeKeyedLock();
  const view: FolderView = {
    show: (name, dataFile) => lock.run(folder, () => show(folder, temporaryFolder, name, dataFile)),
    hide: (name) => lock.run(folder, () => hide(folder, name)),
    async repair(name, dataFile) {
      for (const candidate of [viewPath(name), collisionPath(name)]) {
        if (await isSameFile(path.join(folder, candidate), dataFile)) return;
      }
      await view.show(name, dataFile);
    },
  };
  return view;
}

/** Gives a file a second name without copying its bytes, or with a copy where links are not supported. */
export async function linkOrCopy(existing: string, target: string): Promise<void> {
  try {
    await link(existing, target);
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EMLINK', 'EXDEV', 'ENOSYS')) throw error;
    await copyFile(existing, target, constants.COPYFILE_FICLONE);
  }
}

async function show(folder: string, temporaryFolder: string, name: string, dataFile: string): Promise<void> {
  const temporary = path.join(temporaryFolder, randomUUID());
  const preferred = path.join(folder, viewPath(name));
  const fallback = path.join(folder, collisionPath(name));
  await linkOrCopy(dataFile, temporary);
  try {
    await mkdir(path.dirname(preferred), { recursive: true });
    await rename(temporary, preferred);
    await rm(fallback, { force: true });
  } catch (error) {
    if (!hasCode(error, 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENOTEMPTY')) throw error;
    await rename(temporary, fallback);
  } finally {
    // Renaming one link of a file onto another link of it does nothing and leaves both.
    await rm(temporary, { force: true });
  }
}

async function hide(folder: string, name: string): Promise<void> {
  for (const candidate of [viewPath(name), collisionPath(name)]) {
    const file = path.join(folder, candidate);
    try {
      await unlink(file);
    } catch (error) {
      // A folder of that name belongs to other objects.
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM')) continue;
      throw error;
    }
    await removeEmptyFolders(folder, path.dirname(file));
  }
}

async function removeEmptyFolders(root: string, from: string): Promise<void> {
  for (let folder = from; folder !== root; folder = path.dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
  }
}

async function isSameFile(left: string, right: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(left), stat(right)]);
    return a.ino === b.ino && a.dev === b.dev;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
