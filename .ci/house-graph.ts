import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/** The project's TypeScript files with what each takes from the others and gives them; paths are relative to the root. */
export interface Graph {
  readonly lines: ReadonlyMap<string, number>;
  /** Types included: who reads a file has to know the shapes that it names. */
  readonly imports: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names that a file exports and declares itself: what it hands on from another file is that one's. */
  readonly exports: ReadonlyMap<string, ReadonlySet<string>>;
  /** Hooks of vitest, such as `afterAll`, that a file registers while it loads. */
  readonly hooks: ReadonlyMap<string, readonly string[]>;
}

const SOURCE = /\.tsx?$/;
const TYPE_DECLARATION = /\.d\.ts$/;

/** Every source file that git knows or would add. Throws where an import names a file that is not there. */
export const readGraph = (root: string): Graph => {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = tracked
    .split('\0')
    .filter((file) => SOURCE.test(file) && !TYPE_DECLARATION.test(file) && existsSync(join(root, file)));
  return makeGraph(new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')])));
};

export const makeGraph = (sources: ReadonlyMap<string, string>): Graph => {
  const lines = new Map<string, number>();
  const imports = new Map<string, Set<string>>();
  const exports = new Map<string, Set<string>>();
  const hooks = new Map<string, string[]>();
  for (const [file, text] of sources) {
    const { body } = parseAst(text, { lang: file.endsWith('x') ? 'tsx' : 'ts' });
    lines.set(file, text.split('\n').length - 1);
    imports.set(
      file,
      new Set(
        specifiersOf(body)
          .filter((specifier) => specifier.startsWith('.') && SOURCE.test(specifier))
          .map((specifier) => normalize(join(dirname(file), specifier)))
          .filter((target) => sources.has(target)),
      ),
    );
    exports.set(file, new Set(exportsOf(body)));
    hooks.set(file, hooksIn(body));
  }
  return { lines, imports, exports, hooks };
};

type Body = ReturnType<typeof parseAst>['body'];

/** What a file imports, whether as a value, as a type, or when it is needed. */
const specifiersOf = (body: Body): string[] => {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { source } = node as { source?: { type?: string; value?: unknown } | null };
    if (source?.type === 'Literal' && typeof source.value === 'string') found.push(source.value);
    for (const part of Object.values(node)) visit(part);
  };
  visit(body);
  return found;
};

const exportsOf = (body: Body): string[] => {
  const imported = new Set(
    body.flatMap((node) =>
      node.type === 'ImportDeclaration' ? node.specifiers.map(({ local }) => local.name) : [],
    ),
  );
  return body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration' || node.source !== null) return [];
    const named = node.specifiers.flatMap(({ local, exported }) =>
      'name' in local && imported.has(local.name) ? [] : 'name' in exported ? [exported.name] : [],
    );
    return [...named, ...namesIn(node.declaration)];
  });
};

const HOOKS = new Set(['afterAll', 'afterEach', 'aroundAll', 'aroundEach', 'beforeAll', 'beforeEach']);

/** What runs while the module loads: all but the bodies of functions, unless they are handed to a call, as `describe`'s is. */
const hooksIn = (body: Body): string[] => {
  const names = new Map<string, string>();
  for (const node of body) {
    if (node.type !== 'ImportDeclaration' || node.source.value !== 'vitest') continue;
    for (const one of node.specifiers) {
      const imported = one.type === 'ImportSpecifier' && 'name' in one.imported ? one.imported.name : '';
      if (HOOKS.has(imported)) names.set(one.local.name, imported);
    }
  }
  const found: string[] = [];
  const visit = (node: unknown, isHandedOver = false): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, callee, arguments: given } = node as Record<string, unknown>;
    if (typeof type === 'string' && /Function/.test(type) && !isHandedOver) return;
    const hook = names.get((callee as { name?: string } | undefined)?.name ?? '');
    if (type === 'CallExpression' && hook !== undefined) found.push(hook);
    for (const part of Object.values(node)) {
      if (part === given && Array.isArray(given)) for (const one of given) visit(one, true);
      else visit(part, part === callee);
    }
  };
  for (const node of body) visit(node);
  return found;
};

/** Every name that a declaration or a pattern in it binds. */
const namesIn = (node: unknown): string[] => {
  if (typeof node !== 'object' || node === null) return [];
  const { type, name, id, declarations, properties, elements, value, argument, left } = node as Record<
    string,
    unknown
  >;
  if (type === 'Identifier') return [String(name)];
  const parts = [declarations, properties, elements].flatMap((list) => (Array.isArray(list) ? list : []));
  return [id, type === 'Property' ? value : null, argument, left, ...parts].flatMap(namesIn);
};

/** The files that import each file. */
export const importersOf = ({ imports }: Graph): Map<string, string[]> => {
  const importers = new Map<string, string[]>([...imports.keys()].map((file) => [file, []]));
  for (const [file, targets] of imports) for (const target of targets) importers.get(target)?.push(file);
  return importers;
};

/** Groups of files that import each other, directly or by way of others (Tarjan's strongly connected components). */
export const circlesOf = ({ imports }: Graph): string[][] => {
  const circles: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file) as number);
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file) as number, low.get(target) as number));
    }
    if (low.get(file) !== index.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || imports.get(file)?.has(file)) circles.push(group.sort());
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
};
