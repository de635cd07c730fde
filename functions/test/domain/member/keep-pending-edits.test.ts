import { describe, expect, it } from 'vitest';
import { keepPendingEdits } from '../../../src/domain/member/kept-values.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch } from '../../../src/domain/member/patch.ts';
import { NESTED } from './support/wire-members.ts';

const member = applyPatch(null, parseRegistryMember(NESTED));
const OCCURRED = new Date('2026-01-01T12:00:00Z');
const LATER = new Date('2026-01-01T12:00:01Z');
const LATEST = new Date('2026-01-01T12:00:02Z');
const EARLIER = new Date('2026-01-01T11:59:59Z');

const email = (editedAt: Date, value: unknown = 'minn@postur.example') => ({
  path: 'profile.email',
  editedAt,
  value,
});

describe('edits that wait to be delivered', () => {
  it('stay when they are newer than the change in the registry', () => {
    const { member: kept, kept: paths } = keepPendingEdits(member, [email(LATER)], OCCURRED);
    expect(paths).toEqual(['profile.email']);
    expect(kept).toEqual({ ...member, profile: { ...member.profile, email: 'minn@postur.example' } });
  });

  it.each([
    ['older', EARLIER],
    ['of the same moment', OCCURRED],
  ])('give way when they are %s', (_title, editedAt) => {
    expect(keepPendingEdits(member, [email(editedAt)], OCCURRED)).toEqual({ member, kept: [] });
  });

  it('stay when nobody knows when the registry changed', () => {
    expect(keepPendingEdits(member, [email(EARLIER)], null).kept).toEqual(['profile.email']);
  });

  it('are each decided alone', () => {
    const edits = [email(EARLIER), { path: 'profile.reachable', editedAt: LATER, value: false }];
    const { member: kept } = keepPendingEdits(member, edits, OCCURRED);
    expect(kept.profile).toMatchObject({ email: 'felagi@postur.example', reachable: false });
  });

  it('of one field: the latest stays, in whatever order they are listed', () => {
    const edits = [email(LATEST, 'b@postur.example'), email(LATER, 'a@postur.example')];
    for (const listed of [edits, edits.toReversed()]) {
      expect(keepPendingEdits(member, listed, OCCURRED).member.profile.email).toBe('b@postur.example');
    }
  });

  it('that clear a field stay too', () => {
    expect(keepPendingEdits(member, [email(LATER, null)], OCCURRED).member.profile.email).toBe('');
  });

  it.each([
    ['a field that a member may not edit', { path: 'profile.name', value: 'Annað' }],
    ['an unknown path', { path: '__proto__.x', value: 'x' }],
    ['a value of the wrong type', { path: 'profile.reachable', value: 'true' }],
  ])('are left out when they are for %s', (_title, edit) => {
    expect(keepPendingEdits(member, [{ ...edit, editedAt: LATER }], OCCURRED)).toEqual({ member, kept: [] });
  });
});
