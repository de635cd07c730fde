import { appendFileSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * What a file of JSON lines holds; nothing when it is not there. A last line without an end is what the end of a process left
 * of an unfinished write, and is cut off.
 * @throws Error that names a line that is damaged: going on without it would show a state that never was.
 */
export const readJsonLines = (file: string): unknown[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(dirname(file), { recursive: true });
    return [];
  }
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  const read = complete
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (cause) {
        throw new Error(`${file} is damaged at line ${index + 1}.`, { cause });
      }
    });
  if (complete.length < text.length) truncateSync(file, Buffer.byteLength(complete));
  return read;
};

/** Written when it returns: the end of the process loses nothing of it, and leaves no half of it that would be read. */
export const appendJsonLine = (file: string, value: object): void =>
  appendFileSync(file, `${JSON.stringify(value)}\n`);
