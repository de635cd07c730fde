import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS_LOCK, type LockFile, readLock } from '../../src/deploy/functions-lock.ts';
import { ROOT } from '../../src/deploy/root.ts';

describe('functions/package-lock.json (`node ops/src/deploy/functions-lock.ts` writes it anew)', () => {
  let deployed: LockFile['packages'];
  let tested: LockFile['packages'];
  let asked: Record<string, unknown>;
  beforeAll(async () => {
    deployed = (await readLock(FUNCTIONS_LOCK)).packages;
    tested = (await readLock(join(ROOT, 'package-lock.json'))).packages;
    asked = JSON.parse(await readFile(join(ROOT, 'functions/package.json'), 'utf8'));
  });

  it('is of the package.json beside it, which names exact versions and nothing for development', () => {
    expect(deployed['']?.dependencies).toEqual(asked['dependencies']);
    expect(
      Object.values(asked['dependencies'] as object).filter((it) => !/^\d+\.\d+\.\d+$/.test(it)),
    ).toEqual([]);
    expect(asked).not.toHaveProperty('devDependencies');
  });

  it('holds the framework that runs the functions, so that Cloud Build adds none of its own', () => {
    expect(asked['dependencies']).toHaveProperty('@google-cloud/functions-framework');
  });

  it('has every package in the version that the tests run with', () => {
    const others = Object.entries(deployed).flatMap(([path, { version, integrity }]) => {
      if (path === '') return [];
      const here = tested[`functions/${path}`] ?? tested[path];
      return here?.version === version && here?.['integrity'] === integrity ? [] : [path];
    });
    expect(Object.keys(deployed).length).toBeGreaterThan(100);
    expect(others).toEqual([]);
  });

  it('names no download address, since that would be one of the machine that made it', () => {
    expect(Object.values(deployed).filter((entry) => 'resolved' in entry)).toEqual([]);
  });
});
