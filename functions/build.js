import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/**
 * Packages that go into the bundle, with what they need themselves: small ones, and those of which a part is used, so that
 * a cold start reads a few files and not some hundreds. The SDKs of Google and Firebase stay packages: `firebase deploy`
 * looks for them, and they share state among themselves.
 */
const BUNDLED = ['@hono/zod-openapi', 'hono', 'is-kennitala', 'p-map', 'standardwebhooks', 'undici', 'zod'];

const isPackage = (name) => new RegExp(`^${name}(/|$)`);

/** What is deployed; or another entry, bundled in the same way, into a folder of its own: `node build.js ENTRY FOLDER`. */
const [
  input = fileURLToPath(new URL('src/index.ts', import.meta.url)),
  dir = fileURLToPath(new URL('lib', import.meta.url)),
] = process.argv.slice(2);

await build({
  input,
  platform: 'node',
  external: Object.keys(dependencies)
    .filter((name) => !BUNDLED.includes(name))
    .map(isPackage),
  logLevel: 'warn',
  output: {
    dir,
    format: 'esm',
    cleanDir: true,
    sourcemap: true,
    // Named for what they hold and without a hash, so that the frames of a stack can be read.
    chunkFileNames: '[name].js',
  },
});
