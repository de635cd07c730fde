import { z } from 'zod';
import type { KennitalaExport } from '../../../functions/src/registry/ports.ts';

const answer = z.object({
  count: z.int().min(0),
  kennitalas: z.array(z.string()),
  exported_at: z.string().nullish(),
});

/**
 * An export as somebody fetched it: the registry's own JSON, or lines of kennitalas. Lines do not say how many they
 * should be, and a file that was cut off looks whole, so `count` has to come from elsewhere: the registry's own screen.
 * Throws an Error that quotes nothing of the file.
 */
export const readExport = (text: string, count: number | null): KennitalaExport => {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed.startsWith('{')) {
    const { count: announced, kennitalas, exported_at } = parseAnswer(trimmed);
    if (count !== null && count !== announced) {
      throw new Error(`The export says that it has ${announced} members, and --count says ${count}.`);
    }
    return { count: announced, kennitalas, exportedAt: exported_at ?? null };
  }
  if (trimmed.startsWith('<')) throw new Error('The export is a web page: a login or an error page?');
  if (count === null) {
    throw new Error('A list of lines needs --count: how many members the registry says that it has.');
  }
  const kennitalas = trimmed
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return { count, kennitalas, exportedAt: null };
};

const parseAnswer = (text: string): z.output<typeof answer> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('The export is no whole JSON document: was it cut off?');
  }
  const read = answer.safeParse(json);
  if (read.success) return read.data;
  const paths = [...new Set(read.error.issues.map(({ path }) => String(path[0] ?? 'the document')))];
  throw new Error(`The export is not of the agreed form: ${paths.join(', ')}.`);
};
