import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { lock } from 'proper-lockfile';

/** A lock that its owner has not touched for so long is taken over: the owner was killed. */
const STALE_MS = 5_000;
const TOUCH_MS = 1_000;

export interface LockOptions {
  /** Called when somebody else holds the lock and it is waited for, to see whether they still live. */
  readonly onWait?: () => void;
  /** Called when the lock is not ours any more: the folder was removed, or this process stood still too long. */
  readonly onLost: (reason: string) => void;
}

/**
 * Makes the folder if need be, and keeps a second stack out of it: two servers over one set of files would lose
 * each other's writes. The lock is released by `close()` and by the end of the process.
 * @throws Error that names the folder and the way out.
 */
export const lockFolder = async (folder: string, options: LockOptions) => {
  const path = resolve(folder);
  try {
    await makeFolder(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new Error(`${path} cannot be a data folder (${code}). Name another with --data DIR.`, { cause });
  }
  const attempt = (retries: number) =>
    lock(path, {
      lockfilePath: join(path, 'stack.lock'),
      stale: STALE_MS,
      update: TOUCH_MS,
      retries: { retries, minTimeout: 1_000, factor: 1 },
      onCompromised: () => options.onLost(`${path} was removed or taken over while the stack used it.`),
    });
  try {
    const release = await attempt(0).catch((cause: unknown) => {
      if (!isLocked(cause)) throw cause;
      options.onWait?.();
      return attempt(Math.ceil(STALE_MS / 1_000) + 1);
    });
    return { close: () => release().catch(ignoreLost) };
  } catch (cause) {
    if (!isLocked(cause)) throw cause;
    throw new Error(
      `Another stack uses ${path}. Stop it, or give this one a folder of its own with --data DIR.`,
      { cause },
    );
  }
};

/** Parents first: Node's own recursive `mkdir` never ends where a folder takes none, as in `/proc`. */
const makeFolder = async (path: string): Promise<void> => {
  const found = await stat(path).catch((cause) =>
    codeOf(cause) === 'ENOENT' ? null : Promise.reject(cause),
  );
  if (found?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  // Where a file has the name, or somebody else makes the folder meanwhile, this is refused.
  await mkdir(path);
};

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;
const isLocked = (error: unknown): boolean => codeOf(error) === 'ELOCKED';

/** A lock that was lost has been reported; there is nothing left to release. */
const ignoreLost = (error: unknown): void => {
  if (codeOf(error) !== 'ENOTACQUIRED' && codeOf(error) !== 'ERELEASED') throw error;
};
