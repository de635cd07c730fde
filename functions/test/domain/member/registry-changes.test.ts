import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PORTAL_FIELDS } from '../../../../local/src/registry/portal-fields.ts';
import { FIELD_TABLE, isTwoWayPath, portalEditPaths } from '../../../src/domain/member/field-table.ts';
import { withFields } from '../../../src/domain/member/fields.ts';
import {
  fromRegistryFields,
  parseRegistryMember,
  toRegistryChanges,
  toRegistryCreate,
} from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, diffMembers } from '../../../src/domain/member/patch.ts';
import { isSyncError } from '../../../src/lib/errors.ts';
import { NESTED } from './support/wire-members.ts';

const member = applyPatch(null, parseRegistryMember(NESTED));

describe('the field table', () => {
  const listIn = (file: string, list: RegExp): string[] => {
    const text = readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8');
    return [...(list.exec(text)?.[1] ?? '').matchAll(/'([a-z_.]+)'/g)].map(([, name = '']) => name);
  };

  it.each([
    [
      'the rules let a member write',
      listIn('firestore.rules', /function isOwnEdit[\s\S]*?hasOnly\(\s*\[([^\]]*)\]/).map(
        (name) => `profile.${name}`,
      ),
    ],
    [
      'the companion app takes',
      listIn('django/ekklesia_sync/apply/paths.py', /^WRITABLE_PATHS = \{([\s\S]*?)^\}/m).filter((name) =>
        name.includes('.'),
      ),
    ],
    ['the stand-in of the registry takes', Object.keys(PORTAL_FIELDS)],
  ])('has the fields that %s as the two-way ones', (_who, paths) => {
    expect(paths.toSorted()).toEqual(portalEditPaths.toSorted());
  });

  // Addresses are called otherwise in each, and the status is said by no value.
  const fields = Object.keys(FIELD_TABLE).filter(
    (path) => !/^(?:profile\.addresses|membership\.status)$/.test(path),
  );
  const named = (file: string, name: RegExp): string[] =>
    [...readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8').matchAll(name)].map(
      ([, found = '']) => found.toLowerCase(),
    );

  it.each([
    ['contract/schemas/member.json', /"(\w+)": \{/g],
    ['django/ekklesia_sync/conf.py', /'(\w+)':/g],
  ])('has no field but address and status that %s does not name', (file, name) => {
    const names = named(file, name);
    expect(fields.filter((path) => !names.includes(path.split('.')[1] ?? ''))).toEqual([]);
  });

  it('has the two-way fields that django/README.md tells of', () => {
    expect(
      portalEditPaths.filter((path) => !named('django/README.md', /`([\w.]+)`/g).includes(path)),
    ).toEqual([]);
  });

  it('knows each row by its own path', () => {
    for (const [path, row] of Object.entries(FIELD_TABLE)) expect(row.portalPath).toBe(path);
  });

  it.each(['profile.name', 'profile.kennitala', 'metadata.source_version', 'toString', 'profile', ''])(
    'does not take %j for a two-way path',
    (path) => {
      expect(isTwoWayPath(path)).toBe(false);
    },
  );
});

describe('differences between two members', () => {
  it('are none between a member and itself', () => {
    expect(diffMembers(member, structuredClone(member))).toEqual([]);
  });

  it('name each field with its old and new value', () => {
    const after = withFields(member, { 'profile.email': 'nytt@postur.example', 'profile.name': 'Annað' });
    expect(diffMembers(member, after)).toEqual([
      { path: 'profile.name', oldValue: member.profile.name, newValue: 'Annað' },
      { path: 'profile.email', oldValue: 'felagi@postur.example', newValue: 'nytt@postur.example' },
    ]);
  });

  it('do not count another spelling of the same', () => {
    const after = withFields(member, {
      'profile.phone': '555-1234',
      'profile.foreign_phone': '+45 55 12 34 56',
      'profile.name': member.profile.name.normalize('NFD'),
      'membership.unions': member.membership.unions.toReversed(),
      'profile.addresses': member.profile.addresses.toReversed(),
    });
    expect(diffMembers(member, after)).toEqual([]);
  });
});

describe('changes for the registry', () => {
  it('carry the two-way fields, with what is expected to be there', () => {
    const after = withFields(member, {
      'profile.name': 'Annað',
      'profile.email': '',
      'profile.phone': '+4512345678',
      'profile.reachable': false,
      'profile.addresses': [],
    });
    expect(toRegistryChanges(diffMembers(member, after))).toEqual({
      changes: {
        'profile.email': '',
        'profile.phone': '+4512345678',
        'profile.reachable': false,
        'profile.addresses': [],
      },
      expected: {
        'profile.email': 'felagi@postur.example',
        'profile.phone': '5551234',
        'profile.reachable': true,
        'profile.addresses': member.profile.addresses,
      },
    });
  });

  it('that create a member are the profile, and nothing of the membership', () => {
    const created = toRegistryCreate(member);
    expect(created).toMatchObject({
      'profile.name': member.profile.name,
      'profile.birthday': '1990-01-15',
      'profile.gender': 'male',
      'profile.addresses': member.profile.addresses,
    });
    expect(Object.keys(created).filter((path) => !path.startsWith('profile.'))).toEqual([]);
  });

  it('may clear the addresses by null, and carry numbers as text', () => {
    expect(fromRegistryFields({ 'profile.addresses': null })).toEqual({ 'profile.addresses': [] });
    expect(fromRegistryFields({ 'profile.addresses': [{}] })).toEqual({
      'profile.addresses': [
        {
          street: '',
          number: null,
          letter: '',
          postal_code: '',
          city: '',
          country: 'IS',
          is_default: false,
        },
      ],
    });
    expect(fromRegistryFields({ 'profile.addresses': [{ street: 7, country: 45 }] })).toMatchObject({
      'profile.addresses': [{ street: '7', country: '45' }],
    });
  });

  it('are read back from what the registry answers, in its own spelling', () => {
    expect(
      fromRegistryFields({
        'profile.email': null,
        'profile.phone': '+354 555-1234',
        'profile.groupable': false,
        'profile.addresses': [{ street: 'Laugavegur', number: '1', city: 'Reykjavík', postal_code: 101 }],
      }),
    ).toEqual({
      'profile.email': '',
      'profile.phone': '5551234',
      'profile.groupable': false,
      'profile.addresses': [
        {
          street: 'Laugavegur',
          number: 1,
          letter: '',
          postal_code: '101',
          city: 'Reykjavík',
          country: 'IS',
          is_default: false,
        },
      ],
    });
  });

  it.each([
    ['a field of one direction', { 'profile.name': 'Leyndarmál' }],
    ['an unknown field', { 'profile.Leyndarmál': 1 }],
    ['a consent that is no boolean', { 'profile.reachable': 'Leyndarmál' }],
    ['text that is none', { 'profile.email': ['Leyndarmál'] }],
    ['an address that is none', { 'profile.addresses': ['Leyndarmál'] }],
    ['a missing value', { 'profile.phone': undefined }],
  ])('are not guessed from %s', (_title, fields) => {
    try {
      fromRegistryFields(fields);
      expect.unreachable();
    } catch (error) {
      if (!isSyncError(error, 'member_invalid')) throw error;
      expect(error.message + JSON.stringify(error.details)).not.toContain('Leyndarmál');
    }
  });
});
