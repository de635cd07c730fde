import { readFileSync } from 'node:fs';
import type { Mutant } from '@stryker-mutator/api/core';

/** Mutants that no test can find, because what they do cannot be told from what was meant. */
interface Entry {
  readonly file: string;
  /** The source line on which the mutants begin, without its indentation. */
  readonly line: string;
  /** What they put in the place of the original. */
  readonly becomes: readonly string[];
  readonly reason: string;
}

export interface Equivalents {
  /** True where a mutant is named; `text` is its file's source. */
  names(mutant: Mutant, text: string): boolean;
  /** What is named of the files that begin with `folder` and was not asked for: those mutants are killed, or are no more. */
  unmatched(folder: string): string[];
}

export const readEquivalents = (): Equivalents => {
  const entries: Entry[] = JSON.parse(readFileSync(new URL('./equivalent.json', import.meta.url), 'utf8'));
  for (const { file, line, reason } of entries) {
    if (reason.trim().length < 20) throw new Error(`equivalent.json gives no reason for ${file}: ${line}`);
  }
  const matched = new Set<string>();
  return {
    names: ({ fileName, location, replacement }, text) => {
      const line = text.split('\n')[location.start.line]?.trim();
      const entry = entries.find(
        (one) => one.file === fileName && one.line === line && one.becomes.includes(replacement),
      );
      if (entry === undefined) return false;
      matched.add(keyOf(entry, replacement));
      return true;
    },
    unmatched: (folder) =>
      entries
        .filter(({ file }) => file.startsWith(folder))
        .flatMap((entry) => entry.becomes.map((replacement) => keyOf(entry, replacement)))
        .filter((key) => !matched.has(key)),
  };
};

const keyOf = ({ file, line }: Entry, replacement: string): string => `${file}: ${line} → ${replacement}`;
