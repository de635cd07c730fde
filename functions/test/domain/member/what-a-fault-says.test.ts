import { describe, expect, it } from 'vitest';
import { parseMemberChange, parseMemberHint } from '../../../src/domain/member/member-change.ts';
import { fromRegistryFields, parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { whoIs } from '../../../src/domain/member/wire.ts';
import { operatorText, SHARED_KEY, storableText } from '../../../src/domain/storable.ts';
import { isSyncError } from '../../../src/lib/errors.ts';
import { KENNITALA, NESTED, OTHER_KENNITALA, withAt } from './support/wire-members.ts';

const hyphenated = `${KENNITALA.slice(0, 6)}-${KENNITALA.slice(6)}`;
const messageOf = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (!isSyncError(error)) throw error;
    return error.message;
  }
  return 'none';
};

describe('the operator of the registry is told', () => {
  it.each<[message: string, wire: unknown]>([
    ['member is not an object.', 'x'],
    ['ssn is missing.', { name: 'x' }],
    ['ssn is not a kennitala.', { ssn: '123' }],
    ['kennitala is not the same as ssn.', { ssn: KENNITALA, kennitala: OTHER_KENNITALA }],
    ['digest is not of the agreed form.', { ssn: KENNITALA, digest: 'x' }],
    ['gender is not of the agreed form.', { ssn: KENNITALA, gender: 17 }],
    ['birthday lies outside the years 1 to 9999.', { ssn: KENNITALA, birthday: '0000-02-01' }],
    ['date_joined lies outside the years 1 to 9999.', { ssn: KENNITALA, date_joined: '0000-02-01' }],
    ['name cannot be stored as it is written.', { ssn: KENNITALA, name: 'a\u0000' }],
    ['contact_info is not an object.', { ssn: KENNITALA, contact_info: 'x' }],
    ['unions[1].name is not of the agreed form.', { ssn: KENNITALA, unions: [{ name: 'a' }, { name: 1 }] }],
    [
      'local_address.number is not a whole number and comes without its street.',
      { ssn: KENNITALA, local_address: { number: '1-3' } },
    ],
  ])('%s', (message, wire) => {
    expect(messageOf(() => parseRegistryMember(wire))).toBe(message);
  });

  it.each<[message: string, event: object]>([
    ['body is not of the agreed form.', []],
    ['action is not of the agreed form.', { kennitala: KENNITALA, action: 'merge' }],
    ['kennitala is not a kennitala.', { kennitala: '123', action: 'create' }],
    ['data is missing, and a create needs it.', { kennitala: KENNITALA, action: 'create' }],
    [
      'kennitala is not the member in data.',
      { kennitala: KENNITALA, action: 'delete', data: { ssn: OTHER_KENNITALA } },
    ],
  ])('%s', (message, event) => {
    expect(messageOf(() => parseMemberChange(event))).toBe(message);
  });

  it.each([
    ['current names a field that is not mapped both ways.', { 'profile.name': 'x' }],
    ['profile.phone is not of the agreed form.', { 'profile.phone': 7 }],
    ['profile.email is not of the agreed form.', { 'profile.email': 'a\u0000' }],
  ])('%s', (message, fields) => {
    expect(messageOf(() => fromRegistryFields(fields))).toBe(message);
  });
});

it('whoever types a text is told what is wrong with it', () => {
  const schema = operatorText('a reason in words', 20);
  const said = (text: unknown) => schema.safeParse(text).error?.issues.map(({ message }) => message);
  expect(said('  ')).toEqual(['a reason in words']);
  expect(said('x'.repeat(21))).toEqual(['a reason in words, of at most 20 characters']);
  expect(said('a\nb')).toEqual(['a reason in words, on one line']);
  expect(said(`for ${KENNITALA}`)).toEqual(["a reason in words, without anybody's number"]);
  expect(said('x'.repeat(20))).toBeUndefined();
  expect(storableText.safeParse('\u0000').error?.issues[0]?.message).toBe(
    'cannot be stored as it is written',
  );
  expect(SHARED_KEY.trim()).not.toBe('');
});

describe('who a member is who cannot be read', () => {
  it.each<[string, unknown, ReturnType<typeof whoIs>]>([
    [
      'both spellings',
      { ssn: KENNITALA, kennitala: OTHER_KENNITALA },
      { kennitala: KENNITALA, djangoId: null },
    ],
    ['the second spelling', { ssn: 7, kennitala: hyphenated, id: 8 }, { kennitala: KENNITALA, djangoId: 8 }],
    ['a number that cannot be read', { ssn: '123', id: 8 }, { kennitala: null, djangoId: 8 }],
    ['a row that is no whole number', { ssn: KENNITALA, id: 8.5 }, { kennitala: KENNITALA, djangoId: null }],
    ['a row as text', { ssn: KENNITALA, id: '8' }, { kennitala: KENNITALA, djangoId: null }],
    ['no object', [{ ssn: KENNITALA }], { kennitala: null, djangoId: null }],
    ['null', null, { kennitala: null, djangoId: null }],
    ['text', 'x', { kennitala: null, djangoId: null }],
    ['nothing', {}, { kennitala: null, djangoId: null }],
  ])('%s', (_what, json, expected) => {
    expect(whoIs(json)).toEqual(expected);
  });
});

describe('a hint', () => {
  const hint = (data: unknown, more: object = {}) =>
    parseMemberHint({ kennitala: hyphenated, action: 'update', data, ...more });

  it.each<[string, unknown, unknown]>([
    ['carries the member as it was sent', NESTED, NESTED],
    ['costs no more than a member who cannot be read', withAt(NESTED, 'gender', 17), null],
    ['costs no more than a member without a number', { name: 'x' }, null],
    ['may carry nothing', undefined, null],
    ['may carry something else', 'x', null],
    ['may carry nulls', { ssn: null, kennitala: null }, null],
  ])('%s', (_what, data, payload) => {
    expect(hint(data)).toEqual({ kennitala: KENNITALA, action: 'update', payload });
  });

  it('says of what is wrong in it where, and is refused of somebody else', () => {
    expect(messageOf(() => hint({ ssn: OTHER_KENNITALA }))).toBe('kennitala is not the member in data.');
    expect(messageOf(() => hint({ kennitala: OTHER_KENNITALA }))).toBe(
      'kennitala is not the member in data.',
    );
    expect(messageOf(() => hint(NESTED, { action: 'x' }))).toBe('action is not of the agreed form.');
  });
});
