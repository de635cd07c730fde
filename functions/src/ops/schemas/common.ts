import { z } from 'zod';
import { type KennitalaFault, kennitalaFault, tryKennitala } from '../../domain/kennitala.ts';
import { operatorText } from '../../domain/storable.ts';
import { MIRRORS } from '../../mirror/mirror.ts';

export const mirrorName = z.enum(MIRRORS);

/** ISO 8601, UTC. */
export const time = z.iso.datetime();

/** What the next page is asked for with, as `before`; opaque. Null: there is no further page. */
export const nextCursor = z.string().nullable();

const LIMIT = 'a whole number from 1 to 200';
export const pageFields = {
  limit: z.coerce
    .number({ error: LIMIT })
    .int({ error: LIMIT })
    .min(1, { error: LIMIT })
    .max(200, { error: LIMIT })
    .default(50),
  before: z.string().max(400).optional(),
};

/** Ids of runs, queue items and conflicts: they become names of documents. */
export const documentId = z
  .string()
  .regex(/^[A-Za-z0-9_.~-]{1,200}$/, { error: 'an id: letters, digits, _ . ~ and -' })
  .refine((id) => !/^\.+$|^__.*__$/.test(id), { error: 'no id of a document' });

export const byId = z.strictObject({ id: documentId });

export const reasonText = operatorText('a reason in words', 500);

/** The opaque reference of a member, as logs have it. */
export const memberReference = z.string().regex(/^m_[0-9a-f]{16}$/);

const FAULTS: Record<KennitalaFault, string> = {
  digits: 'a kennitala has ten digits, and this has not',
  date: 'the first six digits are no date of birth, and it is no system number',
  century: 'the last digit is no century: 8, 9 or 0',
  other: 'no kennitala',
};

/** In a body alone, never in an address. */
export const kennitalaText = z
  .string()
  .max(20)
  .transform((text, context) => {
    const kennitala = tryKennitala(text);
    if (kennitala !== null) return kennitala;
    context.addIssue({ code: 'custom', message: FAULTS[kennitalaFault(text)] });
    return z.NEVER;
  });
