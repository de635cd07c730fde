import { z } from 'zod';

/** A member in the registry's own spelling (the first one of the contract), as every call and webhook carries it. */
export interface WireMember {
  readonly id: number;
  readonly ssn: string;
  readonly name: string;
  readonly birthday: string | null;
  readonly gender: number;
  readonly housing_situation: number;
  readonly reachable: boolean;
  readonly groupable: boolean;
  readonly date_joined: string;
  readonly contact_info: ContactInfo;
  readonly local_address: LocalAddress | null;
  readonly foreign_addresses: readonly ForeignAddress[];
  readonly unions: readonly Named[];
  readonly titles: readonly Named[];
  /** The outbox id of the member's last change; 0 for a member that has not changed since it was generated. */
  readonly version: number;
}

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

/**
 * What a change may set: any field but the numbers that identify the member. `contact_info` and `local_address` are
 * merged into the present value, everything else replaces it. Values are checked for their kind only, so that a
 * member with an unknown enum number can be made on purpose.
 */
export const memberPatch = z.strictObject({
  name: text.optional(),
  birthday: z.iso.date().nullable().optional(),
  gender: z.number().int().optional(),
  housing_situation: z.number().int().optional(),
  reachable: z.boolean().optional(),
  groupable: z.boolean().optional(),
  date_joined: text.optional(),
  contact_info: contactInfo.partial().optional(),
  local_address: localAddress.partial().nullable().optional(),
  foreign_addresses: z.array(foreignAddress).optional(),
  unions: z.array(named).optional(),
  titles: z.array(named).optional(),
});

export type ContactInfo = z.infer<typeof contactInfo>;
export type LocalAddress = z.infer<typeof localAddress>;
export type ForeignAddress = z.infer<typeof foreignAddress>;
type Named = z.infer<typeof named>;
export type MemberPatch = z.infer<typeof memberPatch>;

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
export const asPatch = ({ id: _id, ssn: _ssn, version: _version, ...fields }: WireMember): MemberPatch => ({
  ...fields,
  foreign_addresses: [...fields.foreign_addresses],
  unions: [...fields.unions],
  titles: [...fields.titles],
});

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys whose value is undefined: laid over another object, they would blank what is there. */
export const withoutAbsent = <T extends object>(object: T): Present<T> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Present<T>;
