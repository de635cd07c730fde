import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePortalMember } from '../../../src/adapters/firestore/member-document.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, makeTombstone } from '../../../src/domain/member/patch.ts';
import { KENNITALA, NESTED } from './support/wire-members.ts';

const EMPTY = makeTombstone(null, KENNITALA);

describe('a document of the portal', () => {
  it.each([undefined, null, 'x', [], {}, { profile: null }, { profile: [], membership: 7 }])(
    'is an inactive, empty member when it holds %j',
    (document) => {
      expect(parsePortalMember(KENNITALA, document)).toEqual(EMPTY);
    },
  );

  it('takes its number from its id, not from what it holds', () => {
    expect(parsePortalMember(KENNITALA, { profile: { kennitala: 'x' } }).profile.kennitala).toBe(KENNITALA);
  });

  it('may be of an earlier portal: what it wrote otherwise counts as empty', () => {
    const member = parsePortalMember(KENNITALA, {
      profile: {
        kennitala: `${KENNITALA.slice(0, 6)}-${KENNITALA.slice(6)}`,
        name: 'Gervimaður',
        phone: '555-1234',
        gender: 1,
        birthday: '',
        reachable: 'true',
      },
      address: { street: 'Laugavegur' },
      membership: { status: 'active', date_joined: '2020-01-15', unions: [7], titles: ['Gjaldkeri', ''] },
    });
    expect(member.profile).toMatchObject({
      name: 'Gervimaður',
      phone: '5551234',
      gender: 'unknown',
      birthday: null,
      reachable: false,
    });
    expect(member.membership).toEqual({
      status: 'active',
      date_joined: new Date('2020-01-15T00:00:00Z'),
      unions: [],
      titles: ['Gjaldkeri'],
    });
  });

  it('is repaired by the next word of the registry', () => {
    const said = parseRegistryMember(NESTED);
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (profile, membership) => {
        const broken = parsePortalMember(KENNITALA, { profile, membership });
        expect(applyPatch(broken, said)).toEqual(applyPatch(null, said));
      }),
    );
  });
});
