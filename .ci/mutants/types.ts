import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from '@stryker-mutator/api/core';

/**
 * The ids of the mutants that the compiler refuses: nobody can write them, so no test has to find them. Each becomes a file beside its
 * original, so that one run of the compiler judges all of them. What a mutant breaks in another file is not seen.
 */
export const refusedByCompiler = (
  root: string,
  mutants: readonly Mutant[],
  textOf: (file: string) => string,
): Set<string> => {
  if (mutants.length === 0) return new Set();
  const copy = join(root, '.local/mutants/types');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(root, 'functions/src'), join(copy, 'functions/src'), { recursive: true });
  for (const mutant of mutants) {
    const file = mutant.fileName.replace(/\.ts$/, `.mutant-${mutant.id}.ts`);
    writeFileSync(join(copy, file), applyMutant(textOf(mutant.fileName), mutant));
  }
  const project = {
    extends: '../../../tsconfig.json',
    // What is no longer used is a matter of style.
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: [...new Set(mutants.map(({ fileName }) => fileName)), '**/*.mutant-*.ts'],
    exclude: [],
  };
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(project));
  const { stdout, error } = spawnSync('npx', ['tsc', '--project', copy, '--pretty', 'false'], {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  const wrong = new Set([...stdout.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file = '']) => file));
  const refused = new Set<string>();
  for (const file of wrong) {
    const id = /\.mutant-(\d+)\.ts$/.exec(file)?.[1];
    if (id === undefined) throw new Error(`${file} does not compile as it is.`);
    refused.add(id);
  }
  return refused;
};

/** The text that a mutant stands for: lines and columns count from 0. */
const applyMutant = (text: string, { location: { start, end }, replacement }: Mutant): string =>
  text.slice(0, offsetOf(text, start)) + replacement + text.slice(offsetOf(text, end));

export const offsetOf = (text: string, { line, column }: { line: number; column: number }): number => {
  let offset = 0;
  for (let passed = 0; passed < line; passed += 1) offset = text.indexOf('\n', offset) + 1;
  return offset + column;
};
