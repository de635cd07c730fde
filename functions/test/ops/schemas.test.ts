import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Every module that a file imports, also for types only, all the way down: ours as URLs, the others by name. */
const importsOf = (file: URL, seen = new Set<string>()): Set<string> => {
  if (seen.has(file.href)) return seen;
  seen.add(file.href);
  for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)) {
    if (from.startsWith('.')) importsOf(new URL(from, file), seen);
    else seen.add(from);
  }
  return seen;
};

describe('the schemas', () => {
  it('can be imported by the command line and the dashboard: they load no SDK', () => {
    const imported = [...importsOf(new URL('../../src/ops/schemas.ts', import.meta.url))];
    const packages = imported.filter((name) => !name.startsWith('file:') && !name.startsWith('node:'));
    expect(packages.toSorted()).toEqual(['is-kennitala', 'p-map', 'zod']);
  });
});
