import { describe, expect, it } from 'vitest';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, makeTombstone, sourceHash } from '../../../src/domain/member/patch.ts';
import type { MemberToDecide } from '../../../src/portal/ports.ts';
import { decideMember, decideRemoval, registryView } from '../../../src/portal/reconcile/decide-member.ts';
import { KENNITALA, NESTED } from '../../domain/member/support/wire-members.ts';

const NOW = new Date('2026-11-20T04:00:00Z');
const LONG_AGO = new Date(0);
const held = applyPatch(null, parseRegistryMember(NESTED));
const hash = sourceHash(held);

const seen = (given: {
  member?: typeof held | null;
  version?: number | null;
  source_hash?: string | null;
  writtenAt?: Date;
}): MemberToDecide => ({
  stored:
    given.member === null
      ? null
      : {
          member: given.member ?? held,
          meta: {
            django_id: 813,
            source_version: given.version === undefined ? 9 : given.version,
            source_hash: given.source_hash === undefined ? hash : given.source_hash,
            deleted_at: given.member?.membership.status === 'inactive' ? NOW : null,
          },
        },
  state: given.member === null ? null : 's',
  writtenAt: given.member === null ? null : (given.writtenAt ?? LONG_AGO),
  pending: [],
});

const named = (name: string, version: number | null | undefined) => {
  const { version: _, ...wire } = { ...NESTED, name };
  return parseRegistryMember(version === undefined ? wire : { ...wire, version });
};
const edited = { ...held, profile: { ...held.profile, email: 'mine@postur.example' } };
/** An edit may be under way for ten minutes. */
const longer = new Date(NOW.getTime() - 600_000);
const freshly = new Date(longer.getTime() + 1);
const gone = makeTombstone(held, KENNITALA);

describe('what a reconcile does about a member', () => {
  it.each([
    ['equal', seen({}), named(NESTED.name, 9), 'equal', false],
    ['not in the portal', seen({ member: null }), named('New', 9), 'create', true],
    ['changed in the registry', seen({ version: 8 }), named('New', 9), 'update', true],
    ['changed, and no version is known', seen({ version: null }), named('New', undefined), 'update', true],
    ['changed, where only the portal has a version', seen({}), named('New', undefined), 'update', true],
    ['changed, where only the registry has one', seen({ version: null }), named('New', 9), 'update', true],
    ['equal, with no event yet', seen({ version: null }), named(NESTED.name, 0), 'equal', false],
    ['changed without an event', seen({ version: null }), named('New', 0), 'update', true],
    ['ahead of a registry without events', seen({ version: 3 }), named(NESTED.name, 0), 'ahead', false],
    ['newer in the portal', seen({ version: 10 }), named('Old', 9), 'ahead', false],
    ['a version that moved alone', seen({ version: 8 }), named(NESTED.name, 9), 'update', true],
    ['another content of the same version', seen({ member: edited }), named(NESTED.name, 9), 'update', false],
    [
      'an old edit that never came over',
      seen({ member: edited }),
      named(NESTED.name, undefined),
      'update',
      false,
    ],
    [
      'a fresh edit',
      seen({ member: edited, writtenAt: freshly }),
      named(NESTED.name, 9),
      'edit-under-way',
      false,
    ],
    [
      'a fresh edit and a change',
      seen({ member: edited, writtenAt: freshly }),
      named('New', 10),
      'update',
      true,
    ],
    [
      'an edit of ten minutes ago',
      seen({ member: edited, writtenAt: longer }),
      named(NESTED.name, 9),
      'update',
      false,
    ],
    [
      'a fresh edit and a version that moved',
      seen({ member: edited, version: 8, writtenAt: freshly }),
      named(NESTED.name, 9),
      'update',
      true,
    ],
    ['changed past the outbox a moment ago', seen({ writtenAt: freshly }), named('New', 9), 'update', true],
    ['a hash that is missing', seen({ source_hash: null }), named(NESTED.name, 9), 'update', false],
    ['a tombstone, older', seen({ member: gone, version: 8 }), named(NESTED.name, 9), 'revive', true],
    ['a tombstone, newer', seen({ member: gone, version: 10 }), named(NESTED.name, 9), 'ahead', false],
  ] as const)('who is %s', (_what, given, said, kind, isMissed) => {
    const verdict = decideMember(given, said, NOW);
    expect(verdict.kind).toBe(kind);
    expect('isMissed' in verdict && verdict.isMissed).toBe(isMissed);
  });
});

describe('a fresh edit of somebody who had another number', () => {
  it.each([
    ['and withdrew something under it, is no reason to wait', { 'profile.reachable': LONG_AGO }, 'update'],
    ['and withdrew nothing, is as anybody’s', {}, 'edit-under-way'],
  ])('%s', (_what, former, kind) => {
    const given = { ...seen({ member: edited, writtenAt: freshly }), former };
    expect(decideMember(given, named(NESTED.name, 9), NOW).kind).toBe(kind);
  });
});

describe('what it notes of the registry', () => {
  it.each<[string, MemberToDecide, ReturnType<typeof named>, number | null, boolean]>([
    ['of a newcomer without an event', seen({ member: null }), named('New', 0), 0, false],
    ['the first version of a member', seen({ version: null }), named('New', 9), 9, false],
    ['no version where it has had no event', seen({ version: null }), named('New', 0), null, false],
    ['a version that moved alone', seen({ version: 8 }), named(NESTED.name, 9), 9, false],
    ['nothing where an edit is taken back', seen({ member: edited }), named(NESTED.name, 9), 9, false],
    [
      'a digest that it did not say before',
      seen({}),
      { ...named(NESTED.name, 9), digest: { a: 1, b: 2 } },
      9,
      true,
    ],
  ])('is %s', (_what, given, said, source_version, isNote) => {
    expect(decideMember(given, said, NOW)).toMatchObject({ meta: { source_version }, isNote });
  });

  it('shows nobody of whom neither side knows', () => {
    const change = { kennitala: KENNITALA, action: 'delete', version: null, occurredAt: null } as const;
    expect(registryView(null, { ...change, content: null })).toBeNull();
    expect(registryView(seen({}).stored, { ...change, content: null })).toEqual(gone);
  });
});

describe('what it does about a member whom the registry does not have', () => {
  it('makes an active one inactive and keeps the version', () => {
    expect(decideRemoval(seen({}), NOW)).toMatchObject({
      member: { profile: held.profile, membership: { status: 'inactive' } },
      meta: { source_version: 9, deleted_at: NOW, origin: 'reconcile' },
    });
  });

  it.each([
    ['who is inactive already', seen({ member: gone })],
    ['whom the portal does not have', seen({ member: null })],
  ])('does nothing about one %s', (_what, given) => {
    expect(decideRemoval(given, NOW)).toBeNull();
  });
});

describe('taking the registry’s word', () => {
  it.each([
    ['of content', held, 'update'],
    ['of who is a member', gone, 'revive'],
  ])('a version ahead of it counts for nothing, %s, and is no missed event', (_what, member, kind) => {
    expect(decideMember(seen({ member, version: 90_000 }), named('Now', 9), NOW, true)).toMatchObject({
      kind,
      isAhead: true,
      isMissed: false,
      meta: { source_version: 9, deleted_at: null },
      member: { profile: { name: 'Now' }, membership: { status: 'active' } },
    });
  });

  it('brings down a version whose content is equal, however freshly the document was written', () => {
    const ahead = seen({ version: 90_000, writtenAt: freshly });
    expect(decideMember(ahead, named(NESTED.name, 9), NOW, true)).toMatchObject({
      kind: 'update',
      differences: [],
      meta: { source_version: 9 },
    });
  });
});

describe('a consent that its member gave and of which nobody has heard', () => {
  const HOUR = 3_600_000;
  const off = { ...NESTED, reachable: false };
  const verdictAfter = (hours: number) => {
    const { stored, ...rest } = seen({ writtenAt: new Date(NOW.getTime() - hours * HOUR) });
    const heard = { consents: { 'profile.reachable': false }, writtenOver: {} };
    const meta = { ...stored?.meta, heard } as NonNullable<typeof stored>['meta'];
    return decideMember({ ...rest, stored: { member: held, meta } }, parseRegistryMember(off), NOW);
  };

  it.each([
    [24, true],
    [25, true],
    [25 + 1 / HOUR, false],
  ])('is on %f hours after the last write of the document: %s', (hours, reachable) => {
    expect(verdictAfter(hours)).toMatchObject({ kind: 'update', member: { profile: { reachable } } });
  });
});
