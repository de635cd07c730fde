import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../src/deploy/root.ts';

const PAGE = join(ROOT, 'docs/deploy.md');

export interface ShownLine {
  /** The step of the page. */
  readonly step: number;
  /** A command of a block of the shell, on one line and without its comment. */
  readonly line: string;
}

/** Every command that the steps of `docs/deploy.md` show to be given, in their order; what undoes a step stands behind "Undo". */
export const readDeployPage = async (): Promise<readonly ShownLine[]> => {
  const text = await readFile(PAGE, 'utf8');
  return text.split(/^## /m).flatMap((section) => {
    const step = Number(/^(\d+)\. /.exec(section)?.[1]);
    if (Number.isNaN(step)) return [];
    const [done = ''] = section.split(/\bUndo:\s*\n\n```/);
    return [...done.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
      block
        .replaceAll(/ \\\n\s*/g, ' ')
        .split('\n')
        .map((line) => line.replace(/\s+#.*$/, ''))
        .filter((line) => line !== '')
        .map((line) => ({ step, line })),
    );
  });
};

/** The whole page, with commands that go on in the next line on one. */
export const readShown = async (): Promise<string> =>
  (await readFile(PAGE, 'utf8')).replaceAll(/ \\\n\s*/g, ' ');

/** What the page says was not rehearsed: the first column of the table below its "What was rehearsed", `*` for any text. */
export const readNotRehearsed = async (): Promise<readonly RegExp[]> => {
  const [, section = ''] = /^## What was rehearsed\n(.*?)(?=^## )/ms.exec(await readFile(PAGE, 'utf8')) ?? [];
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(
    ([, line = '']) => new RegExp(`^${line.replaceAll(/[^\w\s*]/g, '\\$&').replaceAll('*', '.*')}$`, 'i'),
  );
};
