import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Member } from '../../../src/domain/member/member.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, diffMembers, makeTombstone, sourceHash } from '../../../src/domain/member/patch.ts';
import { anyWireMember, KENNITALA, NESTED, OTHER_KENNITALA, withAt } from './support/wire-members.ts';

const mirror = (wire: unknown): Member => applyPatch(null, parseRegistryMember(wire));
const hashOf = (wire: unknown): string => sourceHash(mirror(wire));

const reversedKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversedKeys);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversedKeys(inner)]),
  );
};

describe('the hash of a member', () => {
  it('is 64 hexadecimal digits, and pinned: a change of scheme rewrites every member', () => {
    expect(hashOf(NESTED)).toBe('06d08eab0f0711a28692e1a38134fc1f5161753f19100de08c6dc1af28461050');
  });

  it.each<[string, string, unknown]>([
    ['the version', 'version', 10],
    ['the row number', 'id', 1],
    ['a key that is not mapped', 'nickname', 'x'],
    ['another spelling of the phone', 'contact_info.phone', '+354 555-1234'],
    ['another spelling of the foreign phone', 'contact_info.foreign_phone', '0045 55 12 34 56'],
    ['another spelling of the time', 'date_joined', '2020-01-15T12:30:00+02:00'],
    ['the order of unions', 'unions', NESTED.unions.toReversed()],
    ['text in another Unicode form', 'name', NESTED.name.normalize('NFD')],
    ['the postal code as text', 'local_address.postal_code', '101'],
  ])('does not change with %s', (_title, path, value) => {
    expect(hashOf(withAt(NESTED, path, value))).toBe(hashOf(NESTED));
  });

  it.each<[string, unknown]>([
    ['ssn', OTHER_KENNITALA],
    ['name', 'Önnur'],
    ['birthday', '1990-01-16'],
    ['gender', 2],
    ['housing_situation', 3],
    ['reachable', false],
    ['groupable', false],
    ['date_joined', '2020-01-15T10:30:01Z'],
    ['contact_info.email', 'annar@postur.example'],
    ['contact_info.phone', '5554321'],
    ['contact_info.foreign_phone', ''],
    ['contact_info.facebook', 'annar'],
    ['local_address.street', 'Hafnargata'],
    ['local_address.number', 2],
    ['local_address.letter', ''],
    ['local_address.postal_code', 105],
    ['local_address.city', 'Akureyri'],
    ['foreign_addresses', []],
    ['unions', [{ name: 'Efling' }]],
    ['titles', []],
  ])('changes with %s', (path, value) => {
    expect(hashOf(withAt(NESTED, path, value))).not.toBe(hashOf(NESTED));
  });

  it('changes when the member is deleted', () => {
    const member = mirror(NESTED);
    expect(sourceHash(makeTombstone(member, member.profile.kennitala))).not.toBe(sourceHash(member));
    expect(member.profile.kennitala).toBe(KENNITALA);
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(anyWireMember, (wire) => {
        expect(hashOf(reversedKeys(wire))).toBe(hashOf(wire));
        expect(sourceHash(reversedKeys(mirror(wire)) as Member)).toBe(hashOf(wire));
      }),
    );
  });

  it('is the same for two members exactly when nothing differs between them', () => {
    const pair = anyWireMember.chain((wire) =>
      fc.tuple(
        fc.constant(wire),
        anyWireMember.chain((other) =>
          fc.subarray(Object.keys(wire)).map((keys) => ({
            ...wire,
            ...Object.fromEntries(keys.map((key) => [key, other[key as keyof typeof other]])),
            ssn: wire.ssn,
          })),
        ),
      ),
    );
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const same = diffMembers(mirror(one), mirror(other)).length === 0;
        expect(hashOf(one) === hashOf(other)).toBe(same);
      }),
      { numRuns: 300 },
    );
  });
});
