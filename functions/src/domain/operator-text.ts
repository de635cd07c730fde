import { z } from 'zod';
import { holdsKennitala } from './kennitala-in-text.ts';
import { isStorableText } from './storable.ts';

/** Begins the identity of whoever called with a key, which several people may hold: it proves no person. */
export const SHARED_KEY = 'api-key ';

/**
 * Texts that an operator types: reasons, and the name under which something is approved. They stand in records for a year,
 * in alerts and on screens; so nobody's number gets in. Another person's name cannot be told from other words: that none
 * belongs there is said where the text is asked for.
 *
 * @param what Said of a text that is refused: `a reason in words`.
 */
export const operatorText = (what: string, max: number) =>
  z
    .string()
    .trim()
    .min(1, { error: what })
    .max(max, { error: `${what}, of at most ${max} characters` })
    .refine((text) => isStorableText(text) && !/[\r\n]/.test(text), { error: `${what}, on one line` })
    .refine((text) => !holdsKennitala(text), { error: `${what}, without anybody's number` });
