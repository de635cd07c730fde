import { z } from 'zod';

const text = z.string().max(255);
const contactInfo = z.strictObject({
  email: text.nullable(),
  phone: text.nullable(),
  foreign_phone: text.nullable(),
  facebook: text.nullable(),
});
const localAddress = z.strictObject({
  street: text,
  number: z.number().int().nullable(),
  letter: text,
  postal_code: z.number().int(),
  city: text,
});
const foreignAddress = z.strictObject({
  pk: z.number().int(),
  country: z.number().int(),
  current: z.boolean(),
  municipality: text,
  postal_code: text,
  address: text,
});
const named = z.strictObject({ name: text });

const fields = z.strictObject({
  name: text,
  birthday: z.iso.date().nullable(),
  gender: z.number().int(),
  housing_situation: z.number().int(),
  reachable: z.boolean(),
  groupable: z.boolean(),
  date_joined: text,
  contact_info: contactInfo,
  local_address: localAddress.nullable(),
  foreign_addresses: z.array(foreignAddress),
  unions: z.array(named),
  titles: z.array(named),
});

/**
 * What a change may set: any field but the numbers that identify the member. `contact_info` and `local_address` are
 * merged into the present value, everything else replaces it. Values are checked for their kind only, so that a
 * member with an unknown enum number can be made on purpose.
 */
export const memberPatch = fields.partial().extend({
  contact_info: contactInfo.partial().optional(),
  local_address: localAddress.partial().nullable().optional(),
});

export type ContactInfo = z.infer<typeof contactInfo>;
export type LocalAddress = z.infer<typeof localAddress>;
export type ForeignAddress = z.infer<typeof foreignAddress>;
export type MemberPatch = z.infer<typeof memberPatch>;

/** A member in the registry's own spelling (the first one of the contract), as every call and webhook carries it. */
export type WireMember = Readonly<z.infer<typeof fields>> & {
  readonly id: number;
  readonly ssn: string;
  /** The outbox id of the member's last change; 0 for a member that has not changed since it was generated. */
  readonly version: number;
};

const NO_ADDRESS: LocalAddress = { street: '', number: null, letter: '', postal_code: 0, city: '' };

/** The member with a patch laid over it. */
export const patchMember = (member: WireMember, patch: MemberPatch): WireMember => {
  const { contact_info, local_address, ...plain } = patch;
  return {
    ...member,
    ...withoutAbsent(plain),
    contact_info: { ...member.contact_info, ...withoutAbsent(contact_info ?? {}) },
    local_address:
      local_address === undefined
        ? member.local_address
        : local_address && { ...(member.local_address ?? NO_ADDRESS), ...withoutAbsent(local_address) },
  };
};

/** Everything but what identifies the member and its version, as a patch: what the outbox shows of a create. */
export const asPatch = ({ id: _id, ssn: _ssn, version: _version, ...rest }: WireMember): MemberPatch => rest;

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys whose value is undefined: laid over another object, they would blank what is there. */
export const withoutAbsent = <T extends object>(object: T): Present<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
