import type { z } from 'zod';

/** Parses what a command printed. An answer of another shape is a failure, never an empty answer. */
export const readJson = <T>(schema: z.ZodType<T>, text: string, what: string): T => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error(`The answer about ${what} cannot be read: ${text.slice(0, 200) || 'it is empty'}`);
  }
};
