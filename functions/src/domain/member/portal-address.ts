import { z } from 'zod';
import { type Address, ICELAND } from './member.ts';
import { withHouseNumber } from './street-address.ts';

const text = z.union([z.string(), z.number().transform(String)]).nullish();
const numberOrText = z.union([z.int().nonnegative(), z.string()]).nullish();

/**
 * As members' clients and earlier versions of the portal write one: parts may be missing, and numbers and texts may
 * stand for each other.
 */
const portalAddress = z
  .looseObject({
    street: text,
    number: numberOrText,
    letter: text,
    postal_code: numberOrText,
    city: text,
    country: text,
    is_default: z.boolean().nullish(),
  })
  .transform(
    (written): Address => ({
      ...withHouseNumber(written.street ?? '', written.number ?? '', written.letter ?? ''),
      postal_code: String(written.postal_code ?? ''),
      city: written.city ?? '',
      country: written.country ?? ICELAND,
      is_default: written.is_default ?? false,
    }),
  );

export const portalAddresses = z.array(portalAddress);

/**
 * Equal for lists that mean the same: the order of addresses carries nothing, the default is marked. Texts are
 * compared in NFC.
 */
export const normaliseAddresses = (addresses: readonly Address[]): string[] =>
  addresses
    .map(({ street, number, letter, postal_code, city, country, is_default }) =>
      JSON.stringify([street, number, letter, postal_code, city, country, is_default]).normalize('NFC'),
    )
    .sort();
