import {
  BIRTHDAY,
  CONSENT,
  FOREIGN_PHONE,
  GENDER,
  HOUSING_SITUATION,
  INSTANT,
  NAMES,
  PHONE,
  TEXT,
} from './field-kinds.ts';
import { type FieldRow, plainRow } from './field-row.ts';
import type { FieldPath } from './fields.ts';
import { normaliseAddresses, portalAddresses } from './portal-address.ts';
import { ADDRESS_PATHS, readAddresses } from './registry-addresses.ts';

/**
 * The one table that maps registry and portal, in both directions. The parser, differences, hashes and changes sent
 * to the registry are all read from it, so that a field can be mapped one way only by saying so here.
 *
 * The kennitala is no row: it is the document's key, read before everything else.
 */
export const FIELD_TABLE: { readonly [P in FieldPath]: FieldRow<P> } = {
  'profile.name': plainRow('profile.name', 'from-registry', ['name'], TEXT),
  'profile.birthday': plainRow('profile.birthday', 'from-registry', ['birthday'], BIRTHDAY),
  'profile.email': plainRow('profile.email', 'both', ['contact_info.email', 'email'], TEXT),
  'profile.phone': plainRow('profile.phone', 'both', ['contact_info.phone', 'phone'], PHONE),
  'profile.foreign_phone': plainRow(
    'profile.foreign_phone',
    'both',
    ['contact_info.foreign_phone', 'foreign_phone'],
    FOREIGN_PHONE,
  ),
  'profile.facebook': plainRow('profile.facebook', 'both', ['contact_info.facebook', 'facebook'], TEXT),
  'profile.gender': plainRow('profile.gender', 'from-registry', ['gender'], GENDER),
  'profile.housing_situation': plainRow(
    'profile.housing_situation',
    'from-registry',
    ['housing_situation'],
    HOUSING_SITUATION,
  ),
  'profile.reachable': plainRow('profile.reachable', 'both', ['reachable'], CONSENT),
  'profile.groupable': plainRow('profile.groupable', 'both', ['groupable'], CONSENT),
  // A change carries the portal's own list: the registry's address columns are not the portal's business.
  'profile.addresses': {
    portalPath: 'profile.addresses',
    registryPaths: ADDRESS_PATHS,
    direction: 'both',
    empty: [],
    toPortal: readAddresses,
    toRegistry: (addresses) => addresses.map((address) => ({ ...address })),
    fromPortal: (value) => (value === null ? [] : portalAddresses.safeParse(value).data),
    normalise: normaliseAddresses,
  },
  // Said by the action of a change, not by a value: whoever the registry lists is active.
  'membership.status': {
    portalPath: 'membership.status',
    registryPaths: [],
    direction: 'from-registry',
    empty: 'active',
    toPortal: () => undefined,
    toRegistry: (status) => status,
    fromPortal: (value) => (value === 'active' ? 'active' : 'inactive'),
    normalise: (status) => status,
  },
  'membership.date_joined': plainRow('membership.date_joined', 'from-registry', ['date_joined'], INSTANT),
  'membership.unions': plainRow('membership.unions', 'from-registry', ['unions'], NAMES),
  'membership.titles': plainRow('membership.titles', 'from-registry', ['titles'], NAMES),
};

/** In the table's order, which is the order of differences and of what is hashed. */
export const FIELD_PATHS = Object.keys(FIELD_TABLE) as readonly FieldPath[];

/** Whether a member may edit the field, so that its value also goes back to the registry. */
export const isTwoWayPath = (path: string): path is FieldPath =>
  Object.hasOwn(FIELD_TABLE, path) && FIELD_TABLE[path as FieldPath].direction === 'both';

/** The paths that the rules let a member's client write. */
export const portalEditPaths: readonly FieldPath[] = FIELD_PATHS.filter(isTwoWayPath);

export const rowOf = <P extends FieldPath>(path: P): FieldRow<P> => FIELD_TABLE[path];
