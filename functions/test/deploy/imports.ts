import { readFileSync } from 'node:fs';
import { parseAst } from 'vitest/node';

/** What a built module asks for: static and dynamic imports and re-exports, as written. */
export const importsOf = (file: string): string[] => {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const child of node) visit(child);
    } else if (typeof node === 'object' && node !== null) {
      const specifier = tryImported(node as Readonly<Record<string, unknown>>, file);
      if (specifier !== null) found.push(specifier);
      for (const child of Object.values(node)) visit(child);
    }
  };
  visit(parseAst(readFileSync(file, 'utf8')).body);
  return found;
};

const IMPORTING = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression'];

const tryImported = (node: Readonly<Record<string, unknown>>, file: string): string | null => {
  if (!IMPORTING.includes(String(node['type']))) return null;
  const source = node['source'] as { value?: unknown } | null;
  if (source === null) return null;
  // A computed import cannot be checked, so it must not exist.
  if (typeof source.value !== 'string') throw new Error(`${file} imports what is only known at run time.`);
  return source.value;
};

/** `@scope/name` of `@scope/name/sub/path`. */
export const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
