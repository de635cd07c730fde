import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePortalMember } from '../../../src/adapters/firestore/member-document.ts';
import { portalEditPaths } from '../../../src/domain/member/field-table.ts';
import { fieldOf, withFields } from '../../../src/domain/member/fields.ts';
import { type Address, GENDERS, HOUSING_SITUATIONS } from '../../../src/domain/member/member.ts';
import {
  fromRegistryFields,
  parseRegistryMember,
  type RegistryFields,
  toRegistryChanges,
  toRegistryCreate,
} from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, diffMembers, sourceHash } from '../../../src/domain/member/patch.ts';
import { anyWireMember, type WireMember } from './support/wire-members.ts';

const mirror = (wire: unknown) => applyPatch(null, parseRegistryMember(wire));

/** What a registry makes of a change: each path's value into the column that it stands for. */
const asColumns = (changes: RegistryFields) => {
  const addresses = changes['profile.addresses'] as unknown as readonly Address[];
  const local = addresses.find((address) => address.country === 'IS');
  return {
    contact_info: {
      email: changes['profile.email'],
      phone: changes['profile.phone'],
      foreign_phone: changes['profile.foreign_phone'],
      facebook: changes['profile.facebook'],
    },
    reachable: changes['profile.reachable'],
    groupable: changes['profile.groupable'],
    local_address:
      local === undefined
        ? null
        : {
            street: local.street,
            number: local.number,
            letter: local.letter,
            postal_code: Number(local.postal_code),
            city: local.city,
          },
    foreign_addresses: addresses
      .filter((address) => address.country !== 'IS')
      .map((address) => ({
        country: Number(address.country),
        municipality: address.city,
        postal_code: address.postal_code,
        address: address.street,
      })),
  };
};

const columnsOf = (wire: WireMember) => ({
  contact_info: wire.contact_info,
  reachable: wire.reachable,
  groupable: wire.groupable,
  local_address: wire.local_address,
  foreign_addresses: wire.foreign_addresses.map(({ country, municipality, postal_code, address }) => ({
    country,
    municipality,
    postal_code,
    address,
  })),
});

describe('registry → portal → registry', () => {
  it('is the identity on every field that is mapped both ways', () => {
    fc.assert(
      fc.property(anyWireMember, (wire) => {
        expect(asColumns(toRegistryCreate(mirror(wire)))).toEqual(columnsOf(wire));
      }),
    );
  });

  it('is the identity on the rest of the profile, which a create sends by its names', () => {
    fc.assert(
      fc.property(anyWireMember, (wire) => {
        const created = toRegistryCreate(mirror(wire));
        expect(created).toMatchObject({ 'profile.name': wire.name, 'profile.birthday': wire.birthday });
        expect(created['profile.gender']).toBe(GENDERS[wire.gender]);
        expect(created['profile.housing_situation']).toBe(HOUSING_SITUATIONS[wire.housing_situation]);
      }),
    );
  });

  it('brings an edit back as it was sent: two members differ by nothing once the changes are read in', () => {
    fc.assert(
      fc.property(anyWireMember, anyWireMember, (one, other) => {
        const before = mirror(one);
        const after = portalEditPaths.reduce(
          (member, path) => withFields(member, { [path]: fieldOf(mirror(other), path) }),
          before,
        );
        const { changes, expected } = toRegistryChanges(diffMembers(before, after));
        const received = JSON.parse(JSON.stringify({ changes, expected }));
        expect(diffMembers(withFields(before, fromRegistryFields(received.changes)), after)).toEqual([]);
        expect(diffMembers(withFields(after, fromRegistryFields(received.expected)), before)).toEqual([]);
      }),
    );
  });
});

describe('the portal document', () => {
  it('reads back as the member that was written', () => {
    fc.assert(
      fc.property(anyWireMember, (wire) => {
        const member = mirror(wire);
        const again = parsePortalMember(member.profile.kennitala, structuredClone(member));
        expect(again).toEqual(member);
        expect(sourceHash(again)).toBe(sourceHash(member));
      }),
    );
  });

  it('does not change when the registry says the same again', () => {
    fc.assert(
      fc.property(anyWireMember, (wire) => {
        const said = parseRegistryMember(wire);
        const once = applyPatch(null, said);
        expect(applyPatch(once, said)).toEqual(once);
      }),
    );
  });
});
