import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from '@stryker-mutator/api/core';

/** A copy of a file as it is: where that is wrong, so are its mutants for another reason than what they change. */
const UNMUTATED = '.unmutated.ts';

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
    const file = mutantFile(mutant.fileName, mutant.id);
    writeFileSync(join(copy, file), applyMutant(textOf(mutant.fileName), mutant));
  }
  const originals = [...new Set(mutants.map(({ fileName }) => fileName))];
  for (const file of originals) {
    writeFileSync(join(copy, file.replace(/\.ts$/, UNMUTATED)), textOf(file));
  }
  const project = {
    extends: '../../../tsconfig.json',
    // What is no longer used is a matter of style.
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: [...originals, `**/*${UNMUTATED}`, '**/*.mutant-*.ts'],
    exclude: [],
  };
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(project));
  const { stdout, error } = spawnSync('npx', ['tsc', '--project', copy, '--pretty', 'false'], {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  const codes = new Map<string, Set<string>>();
  for (const [, file = '', code = ''] of stdout.matchAll(/^(\S+?)\(\d+,\d+\): error (TS\d+)/gm))
    codes.set(file, (codes.get(file) ?? new Set()).add(code));
  const refused = new Set<string>();
  for (const { id, fileName, replacement } of mutants) {
    if (codes.has(fileName)) throw new Error(`${fileName} does not compile as it is.`);
    const isJudged = !codes.has(fileName.replace(/\.ts$/, UNMUTATED));
    const reasons = [...(codes.get(mutantFile(fileName, id)) ?? [])];
    if (isJudged && reasons.some((code) => !isForm(code, replacement))) refused.add(id);
  }
  return refused;
};

/** `...(false)` is refused for its form alone: `...(a && { b })` with an `a` that is never true does the same. */
const isForm = (code: string, replacement: string): boolean => code === 'TS2698' && replacement === 'false';

const mutantFile = (file: string, id: string): string => file.replace(/\.ts$/, `.mutant-${id}.ts`);

/** The text that a mutant stands for: lines and columns count from 0. */
const applyMutant = (text: string, { location: { start, end }, replacement }: Mutant): string =>
  text.slice(0, offsetOf(text, start)) + replacement + text.slice(offsetOf(text, end));

export const offsetOf = (text: string, { line, column }: { line: number; column: number }): number => {
  let offset = 0;
  for (let passed = 0; passed < line; passed += 1) offset = text.indexOf('\n', offset) + 1;
  return offset + column;
};
