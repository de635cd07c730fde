import { describe, expect, it } from 'vitest';
import { FIELD_TABLE } from '../../../src/domain/member/field-table.ts';
import { type FieldPath, fieldOf } from '../../../src/domain/member/fields.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch } from '../../../src/domain/member/patch.ts';
import { FLAT, KENNITALA, NESTED, withAt } from './support/wire-members.ts';

const stored = applyPatch(null, parseRegistryMember(NESTED));

/** Every key that carries one field, and the empty value of that field. */
const KEYS: readonly (readonly [wireKey: string, field: FieldPath, wire: object])[] = [
  ['name', 'profile.name', NESTED],
  ['birthday', 'profile.birthday', NESTED],
  ['contact_info.email', 'profile.email', NESTED],
  ['contact_info.phone', 'profile.phone', NESTED],
  ['contact_info.foreign_phone', 'profile.foreign_phone', NESTED],
  ['contact_info.facebook', 'profile.facebook', NESTED],
  ['gender', 'profile.gender', NESTED],
  ['housing_situation', 'profile.housing_situation', NESTED],
  ['reachable', 'profile.reachable', NESTED],
  ['groupable', 'profile.groupable', NESTED],
  ['date_joined', 'membership.date_joined', NESTED],
  ['unions', 'membership.unions', NESTED],
  ['titles', 'membership.titles', NESTED],
  ['email', 'profile.email', FLAT],
  ['phone', 'profile.phone', FLAT],
  ['foreign_phone', 'profile.foreign_phone', { ...FLAT, foreign_phone: '+4555123456' }],
  ['facebook', 'profile.facebook', { ...FLAT, facebook: 'felagi' }],
];

describe('absent, null and empty', () => {
  it.each(KEYS)('leaves the mirror alone when %s is absent', (key, field, wire) => {
    const parsed = parseRegistryMember(withAt(wire, key, undefined));
    expect(parsed.content).not.toHaveProperty([field]);
    expect(fieldOf(applyPatch(stored, parsed), field)).toEqual(fieldOf(stored, field));
  });

  it.each(
    KEYS.flatMap(([key, field, wire]) => [
      [key, 'null', field, wire, null] as const,
      [key, '""', field, wire, ''] as const,
    ]),
  )('clears the field when %s is %s', (key, _spelling, field, wire, value) => {
    const parsed = parseRegistryMember(withAt(wire, key, value));
    expect(fieldOf(applyPatch(stored, parsed), field)).toEqual(FIELD_TABLE[field].empty);
    expect(fieldOf(stored, field)).not.toEqual(FIELD_TABLE[field].empty);
  });

  it.each([null, ''])('clears all contacts when contact_info is %j', (value) => {
    const member = applyPatch(stored, parseRegistryMember(withAt(NESTED, 'contact_info', value)));
    expect(member.profile).toMatchObject({ email: '', phone: '', foreign_phone: '', facebook: '' });
  });

  it.each(['unions', 'titles'])('clears %s by an empty list', (key) => {
    const member = applyPatch(stored, parseRegistryMember(withAt(NESTED, key, [])));
    expect(fieldOf(member, `membership.${key as 'unions' | 'titles'}`)).toEqual([]);
  });

  it('makes a new member of the number alone, without consent to anything', () => {
    expect(applyPatch(null, parseRegistryMember({ ssn: KENNITALA }))).toEqual({
      profile: {
        kennitala: KENNITALA,
        name: '',
        birthday: null,
        email: '',
        phone: '',
        foreign_phone: '',
        facebook: '',
        gender: 'unknown',
        housing_situation: 'unknown',
        reachable: false,
        groupable: false,
        addresses: [],
      },
      membership: { status: 'active', date_joined: null, unions: [], titles: [] },
    });
  });

  it('reads every contact in the flat spelling', () => {
    const wire = { ...FLAT, foreign_phone: '+4599', facebook: 'annar' };
    expect(applyPatch(null, parseRegistryMember(wire)).profile).toMatchObject({
      email: 'felagi@postur.example',
      phone: '5551234',
      foreign_phone: '+4599',
      facebook: 'annar',
    });
  });

  it('keeps what the other spelling cannot say when the registry changes its spelling', () => {
    const member = applyPatch(stored, parseRegistryMember(FLAT));
    expect(member.profile).toMatchObject({ facebook: 'felagi', foreign_phone: '+4555123456' });
    expect(member.membership).toMatchObject({ unions: ['Efling', 'Sameyki'], titles: ['Gjaldkeri'] });
    expect(member.profile.addresses).toHaveLength(2);
  });
});
