import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from '@stryker-mutator/api/core';

/** A copy of a file as it is: where that is wrong, so are its mutants for another reason than what they change. */
const UNMUTATED = '.unmutated.ts';

/** What the compiler's word depends on besides the mutant. */
const JUDGED_BY = ['functions/src/**/*.ts', 'tsconfig.json', 'package-lock.json', '.ci/mutants/types.ts'];

/**
 * The ids of the mutants that the compiler refuses: nobody can write them, so no test has to find them. What it said once of these
 * very sources is kept, since it takes minutes to ask.
 */
export const refusedByCompiler = (
  root: string,
  mutants: readonly Mutant[],
  textOf: (file: string) => string,
): Set<string> => {
  const path = join(root, '.local/mutants/refused.json');
  const of = hashOfFiles(root, JUDGED_BY);
  const kept: { of?: string; refused?: Record<string, boolean> } = existsSync(path)
    ? JSON.parse(readFileSync(path, 'utf8'))
    : {};
  const refused = kept.of === of ? { ...kept.refused } : {};
  const unknown = mutants.filter((mutant) => refused[nameOf(mutant)] === undefined);
  const found = askCompiler(root, unknown, textOf);
  for (const mutant of unknown) refused[nameOf(mutant)] = found.has(mutant.id);
  writeFileSync(path, JSON.stringify({ of, refused }));
  return new Set(mutants.filter((mutant) => refused[nameOf(mutant)]).map(({ id }) => id));
};

/** Of one text of its file: ids count through the folder, and another file moves them. */
export const nameOf = ({ fileName, location: { start, end }, replacement }: Mutant): string =>
  `${fileName}:${start.line}:${start.column}-${end.line}:${end.column} ${replacement}`;

export const hashOfFiles = (root: string, globs: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const file of globSync([...globs], { cwd: root }).sort())
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
};

/** Each becomes a file beside its original, so that one run judges all of them. What a mutant breaks in another file is not seen. */
const askCompiler = (
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
