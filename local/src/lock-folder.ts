import { resolve } from 'node:path';
import { lock } from 'proper-lockfile';

/**
 * Keeps a second stack out of the same folder: two servers over one set of files would lose each other's writes.
 * A lock whose owner died is taken over after ten seconds.
 * @throws Error that names the folder and the way out.
 */
export const lockFolder = async (folder: string): Promise<{ close(): Promise<void> }> => {
  try {
    const release = await lock(folder, {
      stale: 10_000,
      retries: { retries: 11, minTimeout: 1_000, factor: 1 },
    });
    return { close: () => release() };
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ELOCKED') throw cause;
    throw new Error(
      `Another stack uses ${resolve(folder)}. Stop it, or give this one a folder of its own with --data DIR.`,
      { cause },
    );
  }
};
