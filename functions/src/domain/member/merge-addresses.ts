import { type Address, ICELAND } from './member.ts';
import type { AddressPatch, LocalAddress } from './registry-addresses.ts';

/**
 * The addresses after what the registry said. The registry keeps one local address, so its word about that one
 * replaces every local address of the list, and its list of foreign ones replaces every foreign one.
 */
export const mergeAddresses = (current: readonly Address[], patch: AddressPatch): readonly Address[] => {
  const locals = current.filter(isLocal);
  const local = patch.local === undefined ? locals : mergedLocal(locals[0], patch.local);
  const foreign = patch.foreign ?? current.filter((address) => !isLocal(address));
  return withOneDefault([...local, ...foreign]);
};

const mergedLocal = (
  before: Address | undefined,
  patch: Partial<LocalAddress> | null,
): readonly Address[] => {
  if (patch === null) return [];
  const merged = { ...(before ?? NOWHERE), ...patch };
  const { street, number, letter, postal_code, city } = merged;
  const isBlank = number === null && [street, letter, postal_code, city].every((part) => part.trim() === '');
  return isBlank ? [] : [merged];
};

/** The first local address, else the first that is marked (the registry's current one), else the first. */
const withOneDefault = (addresses: readonly Address[]): readonly Address[] => {
  const chosen = addresses.find(isLocal) ?? addresses.find((address) => address.is_default) ?? addresses[0];
  return addresses.map((address) => ({ ...address, is_default: address === chosen }));
};

const isLocal = (address: Address): boolean => address.country === ICELAND;

const NOWHERE: Address = {
  street: '',
  number: null,
  letter: '',
  postal_code: '',
  city: '',
  country: ICELAND,
  is_default: false,
};
