import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const ROOT = new URL('../../', import.meta.url);
const BUILD = fileURLToPath(new URL('functions/build.js', ROOT));

/**
 * The module as the functions are deployed: bundled by the same program. Run from its sources, a contender of ours would be
 * measured with the reading and translating of a hundred files that no function does.
 */
export const bundle = async (module: URL): Promise<URL> => {
  const name = basename(module.pathname, '.ts');
  // Below node_modules, so that what stays a package is found, and nothing of it is committed.
  const folder = new URL(`node_modules/.cache/bench/${name}/`, ROOT);
  await promisify(execFile)(process.execPath, [BUILD, fileURLToPath(module), fileURLToPath(folder)]);
  return pathToFileURL(fileURLToPath(new URL(`${name}.js`, folder)));
};
