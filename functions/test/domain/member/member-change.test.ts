import { describe, expect, it } from 'vitest';
import { parseMemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { isSyncError } from '../../../src/lib/errors.ts';
import { KENNITALA, NESTED, OTHER_KENNITALA } from './support/wire-members.ts';

const EVENT = {
  kennitala: KENNITALA,
  action: 'update',
  data: NESTED,
  version: 42,
  occurred_at: '2026-01-01T12:00:00.5+00:00',
};
const hyphenated = `${KENNITALA.slice(0, 6)}-${KENNITALA.slice(6)}`;

const faultOf = (json: unknown) => {
  try {
    parseMemberChange(json);
  } catch (error) {
    if (!isSyncError(error)) throw error;
    expect(error.message).not.toMatch(/\d{4}/);
    return [error.code, error.details['path']];
  }
  return 'none';
};

describe('an event of the registry', () => {
  it.each(['create', 'update'])('carries the whole member when it is a %s', (action) => {
    expect(parseMemberChange({ ...EVENT, action })).toEqual({
      kennitala: KENNITALA,
      action,
      version: 42,
      occurredAt: new Date('2026-01-01T12:00:00.500Z'),
      content: parseRegistryMember(NESTED),
    });
  });

  it.each([
    ['without data', { data: undefined }],
    ['with null', { data: null }],
    ['with the member', { data: NESTED }],
    ['with a member that cannot be mapped', { data: { ssn: KENNITALA, gender: 17 } }],
    ['with the number alone, hyphenated', { data: { kennitala: hyphenated } }],
  ])('needs no data when it is a delete: %s', (_title, fields) => {
    const change = parseMemberChange({ ...EVENT, action: 'delete', ...fields });
    expect(change).toMatchObject({ kennitala: KENNITALA, action: 'delete', version: 42, content: null });
  });

  it('may be a hint without version or time', () => {
    const { version: _, occurred_at: __, ...hint } = EVENT;
    expect(parseMemberChange(hint)).toMatchObject({ version: null, occurredAt: null });
    expect(parseMemberChange({ ...EVENT, version: null, occurred_at: null })).toMatchObject({
      version: null,
    });
  });

  it('may write the number with a hyphen', () => {
    expect(parseMemberChange({ ...EVENT, kennitala: hyphenated }).kennitala).toBe(KENNITALA);
  });

  it.each<[string, unknown, string]>([
    ['no object', [], 'body'],
    ['null', null, 'body'],
    ['no number', { ...EVENT, kennitala: undefined }, 'kennitala'],
    ['nine digits', { ...EVENT, kennitala: KENNITALA.slice(1) }, 'kennitala'],
    ['another number than its member', { ...EVENT, kennitala: OTHER_KENNITALA }, 'kennitala'],
    ['another number in a delete', { ...EVENT, action: 'delete', kennitala: OTHER_KENNITALA }, 'kennitala'],
    ['an unknown action', { ...EVENT, action: 'merge' }, 'action'],
    ['no data in an update', { ...EVENT, data: undefined }, 'data'],
    ['null data in a create', { ...EVENT, action: 'create', data: null }, 'data'],
    ['a version that is no number', { ...EVENT, version: '42' }, 'version'],
    ['a negative version', { ...EVENT, version: -1 }, 'version'],
    ['a time without an offset', { ...EVENT, occurred_at: '2026-01-01T12:00:00' }, 'occurred_at'],
  ])('is refused with %s', (_title, json, path) => {
    expect(faultOf(json)).toEqual(['invalid_request', path]);
  });

  it('is told from a member that cannot be mapped', () => {
    expect(faultOf({ ...EVENT, data: { ...NESTED, gender: 17 } })).toEqual(['member_invalid', 'gender']);
    expect(faultOf({ ...EVENT, data: 'x' })).toEqual(['member_invalid', 'member']);
  });
});
