import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/deploy/root.ts';

export interface ShownCommand {
  readonly file: string;
  /** As it is shown, on one line. What a program fills in is `X`, or `--project=X`. */
  readonly line: string;
}

const FILES = [
  '*.md',
  'docs/*.md',
  'django/README.md',
  'ops/src/**/*.ts',
  'local/src/**/*.ts',
  'ops/alerts/*.yaml',
  'functions/src/lib/errors.ts',
  '.env.example',
];

/** Every command of this kind that a document or a message shows, up to where it ends. */
export const shownCommands = (program: string): ShownCommand[] =>
  globSync(FILES, { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return commandsIn(file.endsWith('.ts') ? messagesIn(text) : proseOf(text), program).map((line) => ({
      file,
      line,
    }));
  });

/** A source without its comments, which talk about commands rather than show them. */
const messagesIn = (source: string): string =>
  source
    .replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
    .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})+\}/g, (filled) =>
      /inProject|place\b|placeFlags/.test(filled) ? '--project=X' : 'X',
    );

/** Commands that go on in the next line, and code in a sentence that does. */
const proseOf = (text: string): string =>
  text
    .replaceAll(/ \\\n\s*/g, ' ')
    .replaceAll(/(?<!`)`(?!`)[^`]+`(?!`)/g, (code) => code.replaceAll(/\n\s*/g, ' '));

/** The commands of one program in a text, each up to where it ends: what is quoted may hold the signs that end one. */
export const commandsIn = (text: string, program: string): string[] =>
  [...text.matchAll(new RegExp(`(?<![\\w/-])${program} (?=\\S)`, 'g'))].map(({ index }) =>
    text.slice(index, endOf(text, index)).trim(),
  );

const endOf = (text: string, start: number): number => {
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (/[\n`|;)\]]/.test(sign) || (sign === '#' && /\s/.test(text[at - 1] ?? ''))) return at;
    if (sign !== '"' && sign !== "'") continue;
    // Behind a word it closes what stands around the command.
    const close = /[\s=]/.test(text[at - 1] ?? '') ? text.indexOf(sign, at + 1) : -1;
    if (close === -1 || text.slice(at, close).includes('\n')) return at;
    at = close;
  }
  return text.length;
};

/** Sentences about the program; any other word behind its name is taken for a command. */
const SENTENCE = /^gcloud (?:=|}|X$|X answered|is |with |commands )/;

/** Every `gcloud` command that is shown, once, with values in the place of what a person or a program fills in. */
export const gcloudCommands = (): string[] => {
  const commands = shownCommands('gcloud').flatMap(({ line }) =>
    SENTENCE.test(line) || line.includes('(?:') || line === 'gcloud storage cp' ? [] : [filledIn(line)],
  );
  return [...new Set(commands)].toSorted();
};

const filledIn = (line: string): string =>
  line
    // A sentence that goes on behind the command.
    .replace(/[.,](?:\s[^'"]*)?$/, '')
    .replaceAll(/(?<=--project[ =])X\b/g, 'demo-project')
    .replaceAll(/(?<=--(?:region|location)[ =])X\b/g, 'europe-west2')
    .replaceAll(/(?<=[ =])P(?= |$)/g, 'demo-project')
    .replaceAll(/(?<=[ =])I(?= |$)/g, 'instance')
    .replaceAll(/(?<=:\/\/)B\b/g, 'bucket')
    .replaceAll(/(?<=:\/\/)P\b/g, 'demo-project')
    .replaceAll(/\bP(?=\.iam)/g, 'demo-project')
    .replaceAll(/<(\w+)>/g, '$1')
    // The linter takes it for a comment, in quotes too.
    .replaceAll('#', '@')
    .replaceAll('…', '0');
