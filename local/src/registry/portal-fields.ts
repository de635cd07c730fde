import { z } from 'zod';
import type { ForeignAddress, LocalAddress, MemberPatch, WireMember } from './wire-member.ts';

/** What the registry lets the portal write, and how each value translates between the two spellings. */
export interface PortalField {
  /** The value as the portal spells it. */
  read(member: WireMember): unknown;
  /** The patch that makes the member hold the value; throws PortalValueError for one that the registry cannot keep. */
  write(value: unknown): MemberPatch;
  /** Two values are the same edit when these are equal: spellings that mean the same must not read as a conflict. */
  normalise(value: unknown): unknown;
}

/** A path or a value that the registry does not take. The message names no value. */
export class PortalValueError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const portalAddress = z.object({
  street: z.string().max(255),
  number: z.union([z.string(), z.number()]).nullish(),
  letter: z.string().max(5).nullish(),
  postal_code: z.union([z.string(), z.number()]).nullish(),
  city: z.string().max(255).nullish(),
  country: z.string().default('IS'),
  is_default: z.boolean().default(false),
});
type PortalAddress = z.infer<typeof portalAddress>;

const EMAIL = z.union([z.email(), z.literal('')]);
/** Seven digits, or a foreign number with its plus; checked after the spelling is made plain. */
const PHONE = z.string().regex(/^(?:\d{7}|\+\d{6,15})?$/);
const SHORT_TEXT = z.string().max(255);

const contactField = (
  key: keyof WireMember['contact_info'],
  schema: z.ZodType<string>,
  normalise: (text: string) => string,
): PortalField => ({
  read: (member) => member.contact_info[key] ?? '',
  write: (value) => ({ contact_info: { [key]: parseValue(schema, plain(value, normalise)) } }),
  normalise: (value) => plain(value, normalise),
});

/** Null and an absent text are empty texts; anything that is no text stays what it is, to be refused as such. */
const plain = (value: unknown, normalise: (text: string) => string): unknown =>
  typeof value === 'string' ? normalise(value.trim()) : (value ?? '');

const consentField = (key: 'reachable' | 'groupable'): PortalField => ({
  read: (member) => member[key],
  write: (value) => ({ [key]: parseValue(z.boolean(), value) }),
  normalise: (value) => value,
});

const asIs = (text: string): string => text;
/** Seven digits for an Icelandic number, however it is written; a foreign one gets its plus and keeps its code. */
const bareNumber = (text: string): string =>
  text
    .replace(/[\s-]/g, '')
    .replace(/^00/, '+')
    .replace(/^\+354(?=\d{7}$)/, '');

export const PORTAL_FIELDS: Readonly<Record<string, PortalField>> = {
  'profile.email': contactField('email', EMAIL, asIs),
  'profile.phone': contactField('phone', PHONE, bareNumber),
  'profile.foreign_phone': contactField('foreign_phone', PHONE, bareNumber),
  'profile.facebook': contactField('facebook', SHORT_TEXT, asIs),
  'profile.reachable': consentField('reachable'),
  'profile.groupable': consentField('groupable'),
  'profile.addresses': {
    read: (member) => [
      ...(member.local_address ? [fromLocal(member.local_address)] : []),
      ...member.foreign_addresses.map((address) => fromForeign(address, member.local_address === null)),
    ],
    write: (value) => {
      const addresses = parseValue(z.array(portalAddress), value ?? []);
      const local = addresses.filter((address) => address.country === 'IS');
      const [only] = local;
      if (addresses.length > 0 && addresses.filter((address) => address.is_default).length !== 1) {
        throw new PortalValueError('invalid_value', 'exactly one address is the default');
      }
      if (local.length > 1) {
        throw new PortalValueError('address_unsupported', 'the registry keeps one Icelandic address');
      }
      return { local_address: only ? asLocal(only) : null };
    },
    // Foreign addresses are edited in the registry alone, so only the Icelandic one takes part in the comparison.
    normalise: (value) => {
      const parsed = z.array(portalAddress).safeParse(value ?? []);
      if (!parsed.success) return value;
      return parsed.data.filter((address) => address.country === 'IS').map(comparable);
    },
  },
};

const parseValue = <T>(schema: z.ZodType<T>, value: unknown): T => {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new PortalValueError('invalid_value', 'not a value that the registry takes');
  return parsed.data;
};

const comparable = (address: PortalAddress) => ({
  street: address.street,
  number: String(address.number ?? ''),
  letter: address.letter ?? '',
  postal_code: String(address.postal_code ?? ''),
  city: address.city ?? '',
});

const fromLocal = (address: LocalAddress) => ({
  street: address.street,
  number: address.number,
  letter: address.letter,
  postal_code: address.postal_code === 0 ? '' : String(address.postal_code),
  city: address.city,
  country: 'IS',
  is_default: true,
});

const fromForeign = (address: ForeignAddress, isDefault: boolean) => ({
  street: address.address,
  number: null,
  letter: '',
  postal_code: address.postal_code,
  city: address.municipality,
  country: String(address.country),
  is_default: isDefault && address.current,
});

const asLocal = (address: PortalAddress): LocalAddress => {
  const { street, number, letter, postal_code, city } = comparable(address);
  if (!/^\d{0,5}$/.test(number) || !/^(?:\d{3})?$/.test(postal_code)) {
    throw new PortalValueError(
      'invalid_value',
      'an Icelandic address has a number and a postal code of three digits',
    );
  }
  return {
    street,
    number: number === '' ? null : Number(number),
    letter,
    postal_code: Number(postal_code),
    city,
  };
};
