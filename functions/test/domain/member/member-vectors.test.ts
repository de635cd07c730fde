import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePortalMember } from '../../../src/adapters/firestore/member-document.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { isSyncError } from '../../../src/lib/errors.ts';

interface Vectors {
  readonly members: readonly {
    readonly name: string;
    readonly before?: unknown;
    readonly wires: readonly unknown[];
    readonly portal: { readonly profile: { readonly kennitala: string }; readonly membership: object };
  }[];
  readonly invalid: readonly { readonly name: string; readonly wire: unknown; readonly path: string }[];
}

const FILE = new URL('../../../../contract/vectors/members.json', import.meta.url);
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;

/** A field that a vector leaves out is empty, so that a new field is not said in every one of them. */
const ofNumberAlone = (ssn: string) =>
  JSON.parse(JSON.stringify(applyPatch(null, parseRegistryMember({ ssn })))) as Record<
    'profile' | 'membership',
    object
  >;

describe('the members that both languages share', () => {
  it('are there', () => {
    expect(vectors.members.length).toBeGreaterThan(20);
    expect(vectors.invalid.length).toBeGreaterThan(10);
  });

  it.each(vectors.members)('$name', ({ before, wires, portal }) => {
    const stored = before === undefined ? null : applyPatch(null, parseRegistryMember(before));
    const members = wires.map((wire) => applyPatch(stored, parseRegistryMember(wire)));
    expect(members.length).toBeGreaterThan(0);
    const { profile, membership } = ofNumberAlone(portal.profile.kennitala);
    const whole = {
      profile: { ...profile, ...portal.profile },
      membership: { ...membership, ...portal.membership },
    };
    for (const member of members) {
      expect(JSON.parse(JSON.stringify(member))).toEqual(whole);
      expect(parsePortalMember(member.profile.kennitala, portal)).toEqual(member);
    }
    expect(new Set(members.map(sourceHash)).size).toBe(1);
  });

  it.each(vectors.invalid)('are not made of $name', ({ wire, path }) => {
    try {
      parseRegistryMember(wire);
      expect.unreachable();
    } catch (error) {
      if (!isSyncError(error, 'member_invalid')) throw error;
      expect(error.details['path']).toBe(path);
    }
  });
});
