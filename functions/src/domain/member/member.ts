import { z } from 'zod';
import { SyncError } from '../../lib/errors.ts';
import type { Kennitala } from '../kennitala.ts';

/** Index = the registry's number. */
export const GENDERS = ['unknown', 'male', 'female', 'other'] as const;
export type Gender = (typeof GENDERS)[number];

/** Index = the registry's number. */
export const HOUSING_SITUATIONS = [
  'unknown',
  'owner',
  'rental',
  'cooperative',
  'family',
  'other',
  'homeless',
] as const;
export type HousingSituation = (typeof HOUSING_SITUATIONS)[number];

export const ICELAND = 'IS';

/** One entry of `profile.addresses`. Empty texts and a null number where a part is not known. */
export interface Address {
  readonly street: string;
  readonly number: number | null;
  readonly letter: string;
  /** Text: foreign codes have letters, and a number loses leading zeros. */
  readonly postal_code: string;
  readonly city: string;
  /**
   * `IS` for the registry's local address. For a foreign one the registry sends the number of a row in its own table
   * of countries, which no contract lists: it is kept as those digits (`"45"`). They can be mistaken for no ISO code,
   * lose nothing, and a guess could name the wrong country.
   */
  readonly country: string;
  readonly is_default: boolean;
}

export interface Profile {
  readonly kennitala: Kennitala;
  readonly name: string;
  /** `YYYY-MM-DD`. */
  readonly birthday: string | null;
  readonly email: string;
  /** Seven digits, or `+` and digits for a foreign number; what cannot be read as either stands as it was written. */
  readonly phone: string;
  readonly foreign_phone: string;
  readonly facebook: string;
  readonly gender: Gender;
  readonly housing_situation: HousingSituation;
  readonly reachable: boolean;
  readonly groupable: boolean;
  /** Exactly one default when there is any. */
  readonly addresses: readonly Address[];
}

export interface Membership {
  /** Inactive: deleted in the registry, and kept as a tombstone. */
  readonly status: 'active' | 'inactive';
  readonly date_joined: Date | null;
  readonly unions: readonly string[];
  readonly titles: readonly string[];
}

/** What `members/{kennitala}` holds besides `metadata`. Times are Dates; the store makes its own type of them. */
export interface Member {
  readonly profile: Profile;
  readonly membership: Membership;
}

export const ORIGINS = ['registry', 'two-way', 'reconcile'] as const;

/**
 * By which way a document was last written by a server. A tombstone of a reading, which found the member gone and knows no
 * version of that, is `reconcile`, whoever read.
 */
export type Origin = (typeof ORIGINS)[number];

/** What to throw for a member that cannot be mapped. It names the path and what belongs there, never the value. */
export const memberFault = (path: string, expectation: string): SyncError =>
  new SyncError('member_invalid', `${path} ${expectation}.`, { details: { path } });

/** The largest id of the companion app's outbox, a PostgreSQL `integer`: no change of a member can have a later one. */
const MAX_VERSION = 2 ** 31 - 1;

/**
 * A member's version, wherever the registry says one. A larger number is refused and not held: nothing that the
 * registry could say afterwards would be newer, and the member would stay as they are for good.
 */
export const memberVersion = z.int().nonnegative().max(MAX_VERSION);
