import { describe, expect, it } from 'vitest';
import {
  type DecisionContext,
  decideChange,
  isDoubtfulRevival,
  isStale,
  type MemberMeta,
  type StoredMember,
} from '../../../src/domain/member/decide-change.ts';
import { withFields } from '../../../src/domain/member/fields.ts';
import type { MemberChange } from '../../../src/domain/member/member-change.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { KENNITALA, NESTED, withAt } from './support/wire-members.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const OCCURRED = new Date('2026-01-01T12:00:00Z');
const LATER = new Date('2026-01-02T12:00:00Z');
const context: DecisionContext = { pending: [], origin: 'registry', now: NOW };

const member = applyPatch(null, parseRegistryMember(NESTED));
const tombstone = withFields(member, { 'membership.status': 'inactive' });

const stored = (source_version: number | null, meta: Partial<MemberMeta> = {}): StoredMember => ({
  member,
  meta: { django_id: 813, source_version, source_hash: sourceHash(member), deleted_at: null, ...meta },
});
const buried = (source_version: number | null): StoredMember => ({
  member: tombstone,
  meta: { django_id: 813, source_version, source_hash: sourceHash(tombstone), deleted_at: OCCURRED },
});

const said = (action: 'create' | 'update', version: number | null, wire: object = NESTED): MemberChange => ({
  kennitala: KENNITALA,
  action,
  version,
  occurredAt: OCCURRED,
  content: parseRegistryMember(wire),
});
const removed = (version: number | null, occurredAt: Date | null = OCCURRED): MemberChange => ({
  kennitala: KENNITALA,
  action: 'delete',
  version,
  occurredAt,
  content: null,
});
const RENAMED = withAt(NESTED, 'name', 'Annað nafn');

describe('order by version', () => {
  it.each<[string, StoredMember | null, MemberChange, string]>([
    ['a create of a missing member', null, said('create', 1), 'write'],
    ['an update of a missing member', null, said('update', 5), 'write'],
    ['a delete of a missing member', null, removed(5), 'write'],
    ['a reading of a missing member', null, said('update', null), 'write'],
    ['a reading that finds nobody where nobody was', null, removed(null), 'write'],
    ['version 0 of a missing member', null, said('update', 0), 'write'],
    ['a newer update', stored(9), said('update', 10), 'write'],
    ['the same version again', stored(9), said('update', 9, RENAMED), 'stale'],
    ['an older update', stored(9), said('update', 8, RENAMED), 'stale'],
    ['an older create', stored(9), said('create', 8), 'stale'],
    ['an older delete', stored(9), removed(8), 'stale'],
    ['a newer delete', stored(9), removed(10), 'write'],
    ['a late update of a tombstone', buried(9), said('update', 8), 'stale'],
    ['a late create of a tombstone', buried(9), said('create', 9), 'stale'],
    ['a newer create of a tombstone', buried(9), said('create', 10), 'write'],
    ['a newer update of a tombstone', buried(9), said('update', 10), 'write'],
    ['any version over a document without one', stored(null), said('update', 0, RENAMED), 'write'],
    [
      'a reading without a version that says something new',
      stored(9),
      said('update', null, RENAMED),
      'write',
    ],
    ['a reading without a version that says nothing new', stored(9), said('update', null), 'unchanged'],
    ['a reading that finds a member gone', stored(9), removed(null), 'write'],
    ['a reading that finds them gone again', buried(9), removed(null, null), 'unchanged'],
  ])('%s', (_title, held, change, kind) => {
    expect(decideChange(held, change, context).kind).toBe(kind);
  });

  it('says of a stale version whether it is the one that is stored', () => {
    expect(decideChange(stored(9), said('update', 9), context)).toEqual({ kind: 'stale', isSame: true });
    expect(decideChange(stored(9), said('update', 8), context)).toEqual({ kind: 'stale' });
  });
});

describe('what is written', () => {
  it('is the member and where it comes from, when it is new', () => {
    expect(decideChange(null, said('create', 9), context)).toEqual({
      kind: 'write',
      member,
      meta: {
        django_id: 813,
        source_version: 9,
        source_hash: sourceHash(member),
        heard: { consents: { 'profile.reachable': true, 'profile.groupable': true }, writtenOver: {} },
        origin: 'registry',
        deleted_at: null,
      },
      differences: null,
      keptEdits: [],
    });
  });

  it('is the metadata alone when a newer version says the same', () => {
    expect(decideChange(stored(9), said('update', 10), context)).toMatchObject({
      kind: 'write',
      differences: [],
      meta: { source_version: 10 },
    });
  });

  it('names what differs', () => {
    expect(decideChange(stored(9), said('update', 10, RENAMED), context)).toMatchObject({
      differences: [{ path: 'profile.name', newValue: 'Annað nafn' }],
    });
  });

  it('merges a create over an existing member: what it does not say stays', () => {
    const change = said('create', 10, { ssn: KENNITALA, name: 'Annað nafn' });
    expect(decideChange(stored(9), change, context)).toMatchObject({
      member: withFields(member, { 'profile.name': 'Annað nafn' }),
      meta: { django_id: 813 },
    });
  });

  it('keeps what was known of a member who was deleted', () => {
    expect(decideChange(stored(9), removed(10), context)).toMatchObject({
      member: tombstone,
      meta: { source_version: 10, deleted_at: OCCURRED, source_hash: sourceHash(tombstone) },
      differences: [{ path: 'membership.status', oldValue: 'active', newValue: 'inactive' }],
    });
  });

  it('is an empty tombstone for a member who was never known', () => {
    const decision = decideChange(null, removed(10, null), context);
    expect(decision).toMatchObject({
      member: {
        profile: { kennitala: KENNITALA, name: '', email: '', reachable: false, addresses: [] },
        membership: { status: 'inactive', date_joined: null },
      },
      meta: { django_id: null, source_version: 10, deleted_at: NOW },
      differences: null,
    });
  });

  it.each(['create', 'update'] as const)('revives a tombstone by a newer %s', (action) => {
    expect(decideChange(buried(9), said(action, 10), context)).toMatchObject({
      member,
      meta: { source_version: 10, deleted_at: null, source_hash: sourceHash(member) },
    });
  });

  it('keeps the version that is stored when the change has none', () => {
    expect(decideChange(stored(9), said('update', null, RENAMED), context)).toMatchObject({
      meta: { source_version: 9 },
    });
    expect(decideChange(stored(9), removed(null, null), context)).toMatchObject({
      meta: { source_version: 9, deleted_at: NOW },
    });
  });

  it("keeps a member's newer edit, and the hash of what the registry said", () => {
    const pending = [{ path: 'profile.email', editedAt: LATER, value: 'minn@postur.example' }];
    const edited = { ...stored(9), member: withFields(member, { 'profile.email': 'minn@postur.example' }) };
    expect(decideChange(edited, said('update', 10, RENAMED), { ...context, pending })).toMatchObject({
      member: { profile: { email: 'minn@postur.example', name: 'Annað nafn' } },
      meta: { source_hash: sourceHash(applyPatch(null, parseRegistryMember(RENAMED))) },
      differences: [{ path: 'profile.name' }],
      keptEdits: ['profile.email'],
    });
  });

  it('deletes whatever edits are waiting', () => {
    const pending = [{ path: 'profile.email', editedAt: LATER, value: 'minn@postur.example' }];
    expect(decideChange(stored(9), removed(10), { ...context, pending })).toMatchObject({
      member: tombstone,
      keptEdits: [],
    });
  });

  it('mends a document of the same version when a reconcile asks for it', () => {
    expect(
      decideChange(stored(9), said('update', 9, RENAMED), {
        ...context,
        origin: 'reconcile',
        comesOver: 'same',
      }),
    ).toMatchObject({
      kind: 'write',
      meta: { origin: 'reconcile', source_version: 9 },
    });
    expect(decideChange(stored(9), said('update', 9), { ...context, comesOver: 'same' })).toEqual({
      kind: 'unchanged',
    });
  });

  it('is the registry’s word over a newer version where somebody decided for it', () => {
    expect(
      decideChange(stored(9), said('update', 8, RENAMED), { ...context, comesOver: 'any' }),
    ).toMatchObject({ kind: 'write', meta: { source_version: 8 } });
    expect(isStale(stored(9), 8, 'same')).toBe(true);
    expect(isStale(stored(9), 9, 'same')).toBe(false);
    expect(isStale(stored(9), 9)).toBe(true);
    expect(isStale(stored(9), null)).toBe(false);
    expect(isStale(null, 0)).toBe(false);
  });

  it('says of a member whom a reading found gone that a reconcile did it', () => {
    expect(decideChange(stored(9), removed(null), context)).toMatchObject({ meta: { origin: 'reconcile' } });
    expect(decideChange(stored(9), removed(10), context)).toMatchObject({ meta: { origin: 'registry' } });
    expect(decideChange(stored(9), said('update', null, RENAMED), context)).toMatchObject({
      meta: { origin: 'registry' },
    });
  });

  it('keeps the time of the first deletion when a reading finds the member gone again', () => {
    expect(decideChange({ ...buried(9), member }, removed(null, LATER), context)).toMatchObject({
      meta: { deleted_at: OCCURRED },
    });
    expect(decideChange(buried(9), removed(10, LATER), context)).toMatchObject({
      meta: { deleted_at: LATER },
    });
  });
});

describe('the registry’s digest', () => {
  const ONE = { a: 1, b: 2 };
  const OTHER = { a: 3, b: 4 };
  const DIGEST = `${'0'.repeat(7)}3${'0'.repeat(7)}4${'0'.repeat(48)}`;
  const digestAfter = (held: StoredMember | null, change: MemberChange) => {
    const decision = decideChange(held, change, context);
    return decision.kind === 'write' ? decision.meta : decision.kind;
  };

  it('is kept as it is said', () => {
    const change = said('update', 10, { ...NESTED, digest: DIGEST });
    expect(digestAfter(null, change)).toMatchObject({ digest: OTHER });
    expect(digestAfter(stored(9, { digest: ONE }), change)).toMatchObject({ digest: OTHER });
    expect(digestAfter(stored(9), { ...change, version: null })).toMatchObject({ digest: OTHER });
  });

  it('that is not said stands for the same content and version, and for no other', () => {
    const held = stored(9, { digest: ONE });
    expect(digestAfter(held, said('update', null))).toBe('unchanged');
    const asBefore = { ...held, member: withFields(member, { 'profile.name': 'x' }) };
    expect(digestAfter(asBefore, said('update', null))).toMatchObject({ digest: ONE });
    expect(digestAfter(held, said('update', 10))).not.toHaveProperty('digest');
    expect(digestAfter(held, said('update', null, RENAMED))).not.toHaveProperty('digest');
    expect(digestAfter(null, said('update', 9))).not.toHaveProperty('digest');
  });

  it('is none of a member who is gone', () => {
    expect(digestAfter(stored(9, { digest: ONE }), removed(10))).not.toHaveProperty('digest');
    expect(
      digestAfter({ ...buried(9), meta: { ...buried(9).meta, digest: ONE } }, removed(null, null)),
    ).not.toHaveProperty('digest');
  });
});

describe('a revival of whom a reading found gone', () => {
  const gone = (origin: 'reconcile' | 'registry' | null): StoredMember => ({
    ...buried(9),
    meta: { ...buried(9).meta, origin },
  });
  it.each<[string, StoredMember | null, MemberChange, boolean]>([
    ['is in doubt by a newer event', gone('reconcile'), said('update', 10), true],
    ['is in doubt by a newer create', gone('reconcile'), said('create', 10), true],
    ['is none by an older event, which is stale', gone('reconcile'), said('update', 9), false],
    ['is none by another deletion', gone('reconcile'), removed(10), false],
    ['is in no doubt by a reading', gone('reconcile'), said('update', null), false],
    ['is in no doubt where an event deleted them', gone('registry'), said('update', 10), false],
    ['is in no doubt where nobody knows what did', gone(null), said('update', 10), false],
    ['is none of a member who is there', stored(9, { origin: 'reconcile' }), said('update', 10), false],
    ['is none of a member who is new', null, said('update', 10), false],
  ])('%s', (_what, held, change, isDoubtful) => {
    expect(isDoubtfulRevival(held, change)).toBe(isDoubtful);
  });
});
