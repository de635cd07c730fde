import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/deploy/root.ts';

export interface ShownCommand {
  readonly file: string;
  /** As it is shown, on one line. */
  readonly line: string;
}

const FILES = [
  '*.md',
  'docs/*.md',
  'ops/src/**/*.ts',
  'ops/alerts/*.yaml',
  'functions/src/lib/errors.ts',
  '.env.example',
];

/** Every command of this kind that a document or a message shows, up to where it ends. */
export const shownCommands = (program: string): ShownCommand[] =>
  globSync(FILES, { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8')
      .replaceAll(/ \\\n\s*/g, ' ')
      // What a program fills in; and code in a sentence may go on in the next line.
      .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})+\}/g, 'X')
      .replaceAll(/(?<!`)`(?!`)[^`]+`(?!`)/g, (code) =>
        file.endsWith('.md') ? code.replaceAll(/\n\s*/g, ' ') : code,
      );
    const found = text.matchAll(new RegExp(`(?<![\\w/-])${program} [^\\n\`|#;)\\]]+`, 'g'));
    return [...found].map(([line]) => ({ file, line: line.trim() }));
  });
