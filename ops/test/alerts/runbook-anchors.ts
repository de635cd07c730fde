import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../src/deploy/root.ts';

/** The anchors of the runbook's headings, as GitHub makes them. */
export const readRunbookAnchors = async (): Promise<Set<string>> => {
  const text = await readFile(join(ROOT, 'docs/runbook.md'), 'utf8');
  const headings = text.split('\n').flatMap((line) => /^#{1,6} (.+)$/.exec(line)?.[1] ?? []);
  return new Set(headings.map(anchorOf));
};

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
