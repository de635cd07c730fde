import { existsSync, readFileSync } from 'node:fs';
import type { Mutant } from '@stryker-mutator/api/core';

/** What the command hands to the process that has the tests loaded, in the file that `MUTANTS_JOB` names. */
export interface Job {
  readonly root: string;
  /** Globs of test files. */
  readonly tests: readonly string[];
  readonly exclude: readonly string[];
  /** Where the folder's own tests stand. */
  readonly own: string;
  /** The sources with all mutants in them, each behind a switch, by absolute path. */
  readonly sources: Readonly<Record<string, string>>;
  readonly mutants: readonly Mutant[];
  /** The sources without them. */
  readonly texts: Readonly<Record<string, string>>;
  /** What the tests asked about one mutant may take together, by what they take without it. */
  readonly testsMs: number;
  /** What was found so far, one line of JSON each: see `Finding`. */
  readonly findings: string;
}

/** The tests of one file that reach a mutant: all of them, where it is reached while the file loads or in a hook of the file. */
export interface Reach {
  readonly file: string;
  readonly tests: 'all' | readonly string[];
  readonly ms: number;
  readonly hits: number;
}

export type Finding =
  /** What the tests of a file reach when nothing is mutated. */
  | {
      readonly kind: 'reach';
      readonly file: string;
      readonly ms: number;
      /** What the longest test of the file took. */
      readonly longest: number;
      /** Mutants reached while the file loads or in a hook, with how often. */
      readonly whole: Readonly<Record<string, number>>;
      /** By test: what it took, and the mutants that it reaches, with how often. */
      readonly tests: Readonly<
        Record<string, { readonly ms: number; readonly reached: Readonly<Record<string, number>> }>
      >;
    }
  /** A file whose tests fail when nothing is mutated: no result says anything then. */
  | { readonly kind: 'broken'; readonly file: string; readonly why: string }
  /** `limitMs` is what the tests of one file may take; without a word for so long, the process hangs. */
  | { readonly kind: 'begun'; readonly id: string; readonly limitMs: number }
  | { readonly kind: 'ended'; readonly id: string; readonly outcome: Outcome; readonly by?: string }
  /** After these the unmutated tests failed: something was left behind, and their results are worth nothing. They are asked again, without that file. */
  | { readonly kind: 'doubted'; readonly ids: readonly string[]; readonly file: string };

export type Outcome = 'killed' | 'survived' | 'not reached' | 'hung';

export const readFindings = (path: string): Finding[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : [];
