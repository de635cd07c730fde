import { randomUUID } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** The disk steps of a change, in order. See bucket.ts for what a crash before each of them leaves. */
export type StoreStep = 'data' | 'record' | 'commit' | 'view' | 'prune';

/** Called before each step; a test throws from it to stop there, as a crash would. */
export type StepHook = (step: StoreStep) => void;

/** Makes renames and new names in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Replaces a file as a whole: a reader, or a start after a crash, sees the old text or the new one.
 * @param beforeCommit runs between the temporary file and the rename
 */
export async function replaceFile(
  target: string,
  temporaryFolder: string,
  text: string,
  beforeCommit?: () => void,
): Promise<void> {
  const temporary = path.join(temporaryFolder, randomUUID());
  const handle = await open(temporary, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  beforeCommit?.();
  await rename(temporary, target);
  await syncFolder(path.dirname(target));
}
