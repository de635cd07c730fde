import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';

const MODULES = new URL('../../../../node_modules/', import.meta.url);
const CACHE = new URL('.cache/', MODULES);

/**
 * The data of a PGlite that nobody has used, kept beside the packages: loading it takes a fifth of making it, and every
 * file of tests needs one. Another version of PGlite makes another one.
 */
export const pgliteSnapshot = async (): Promise<Blob> => {
  const { version } = JSON.parse(
    await readFile(new URL('@electric-sql/pglite/package.json', MODULES), 'utf8'),
  ) as { version: string };
  const file = fileURLToPath(new URL(`pglite-${version}.tar`, CACHE));
  const kept = await readFile(file).catch(() => null);
  if (kept !== null) return new Blob([kept]);
  const db = await PGlite.create();
  const made = await db.dumpDataDir('none');
  await db.close();
  await mkdir(CACHE, { recursive: true });
  // Two files of tests may make it at once; each puts a whole one there.
  const own = `${file}.${randomUUID()}`;
  await writeFile(own, Buffer.from(await made.arrayBuffer()));
  await rename(own, file);
  return made;
};
