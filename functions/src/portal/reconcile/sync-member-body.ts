import { z } from 'zod';
import { tryKennitala } from '../../domain/kennitala.ts';

/** `POST` body of `syncMemberNow`. What is wrong is said without quoting it. */
export const syncMemberBody = z.strictObject({
  kennitala: z.string().transform((text, context) => {
    const kennitala = tryKennitala(text);
    if (kennitala !== null) return kennitala;
    context.addIssue({ code: 'custom', message: 'ten digits, with or without a hyphen' });
    return z.NEVER;
  }),
  dryRun: z.boolean().default(false),
});
