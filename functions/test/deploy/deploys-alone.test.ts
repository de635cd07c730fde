import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { importsOf, packageOf } from './imports.ts';

const FUNCTIONS = fileURLToPath(new URL('../../', import.meta.url));
const LIB = join(FUNCTIONS, 'lib');
const { dependencies, engines } = JSON.parse(readFileSync(join(FUNCTIONS, 'package.json'), 'utf8'));

/** Each import of the built code: the file and what it asks for. */
let imports: { readonly file: string; readonly specifier: string }[];

beforeAll(() => {
  if (!existsSync(join(LIB, 'index.js'))) throw new Error('functions/lib is missing: npm run build');
  imports = globSync('**/*.js', { cwd: LIB }).flatMap((name) => {
    const file = join(LIB, name);
    return importsOf(file).map((specifier) => ({ file, specifier }));
  });
  expect(imports.length).toBeGreaterThan(20);
});

const bareImports = () =>
  imports.filter(({ specifier }) => !specifier.startsWith('.') && !isBuiltin(specifier));

it('the built code imports only packages that functions/package.json names', () => {
  const undeclared = bareImports().filter(({ specifier }) => !(packageOf(specifier) in dependencies));
  expect(undeclared).toEqual([]);
});

it('every package import resolves', () => {
  const lost = [...new Set(bareImports().map(({ specifier }) => specifier))].filter((specifier) => {
    try {
      return !import.meta.resolve(specifier).startsWith('file:');
    } catch {
      return true;
    }
  });
  expect(lost).toEqual([]);
});

it('no relative import leaves the folder that is uploaded, or names a file that was not built', () => {
  const wrong = imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ file, specifier }) => resolve(dirname(file), specifier))
    .filter((target) => !target.startsWith(LIB + sep) || !existsSync(target));
  expect(wrong).toEqual([]);
});

it('no dependency comes from this repository, and Node is the deployed runtime', () => {
  const ranges: string[] = Object.values(dependencies);
  expect(ranges.filter((range) => /^(file|link|workspace):|^\*$/.test(range))).toEqual([]);
  const { functions } = JSON.parse(readFileSync(join(FUNCTIONS, '../firebase.json'), 'utf8'));
  expect(functions).toMatchObject([{ source: 'functions', runtime: `nodejs${engines.node}` }]);
});
