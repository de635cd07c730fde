import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideChange, lastSaid, type StoredMember } from '../../../src/domain/member/decide-change.ts';
import { type FieldValues, withFields } from '../../../src/domain/member/fields.ts';
import { type PendingEdit, withoutPendingEdits } from '../../../src/domain/member/kept-values.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { KENNITALA, NESTED } from './support/wire-members.ts';

const on = applyPatch(null, parseRegistryMember(NESTED));
const off = withFields(on, { 'profile.reachable': false });
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));

/** Nine fields: one more than are tried. */
const OTHERWISE: Partial<FieldValues> = {
  'profile.reachable': false,
  'profile.groupable': false,
  'profile.name': 'Annað nafn',
  'profile.email': 'annar@postur.example',
  'profile.phone': '5559999',
  'profile.foreign_phone': '+4555999999',
  'profile.facebook': 'annar',
  'profile.gender': 'other',
  'profile.housing_situation': 'cooperative',
};
const PATHS = Object.keys(OTHERWISE) as (keyof FieldValues)[];
const otherwiseIn = (paths: readonly (keyof FieldValues)[]) =>
  withFields(on, Object.fromEntries(paths.map((path) => [path, OTHERWISE[path]])));

describe('what the registry said last', () => {
  it('is found by its hash, whichever fields the document and the registry have changed since', () => {
    const changed = fc.subarray(PATHS, { maxLength: 8 }).chain((all) =>
      fc.subarray(all).map((inDocument) => ({
        inDocument,
        inRegistry: all.filter((path) => !inDocument.includes(path)),
      })),
    );
    fc.assert(
      fc.property(changed, ({ inDocument, inRegistry }) => {
        expect(lastSaid(otherwiseIn(inDocument), otherwiseIn(inRegistry), sourceHash(on))).toEqual(on);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['without a hash', off, on, null],
    ['where both have changed one field', off, on, sourceHash(withFields(on, { 'profile.name': 'Þriðja' }))],
    ['where more than eight fields differ', otherwiseIn(PATHS), on, sourceHash(on)],
  ])('is not known %s', (_what, shown, said, hash) => {
    expect(lastSaid(shown, said, hash)).toBeNull();
  });
});

describe('a consent that the document shows off and the registry on', () => {
  const stored = (last: typeof on, meta: Partial<StoredMember['meta']> = {}): StoredMember => ({
    member: off,
    meta: {
      django_id: NESTED.id,
      source_version: 1,
      source_hash: sourceHash(last),
      deleted_at: null,
      ...meta,
    },
  });
  const shownAfter = (before: StoredMember | null, pending: readonly PendingEdit[] = []) => {
    const decision = decideChange(
      before,
      {
        kennitala: KENNITALA,
        action: 'update',
        version: NESTED.version,
        occurredAt: at(20),
        content: parseRegistryMember(NESTED),
      },
      { pending, origin: 'registry', now: at(30) },
    );
    if (decision.kind !== 'write') throw new Error('Nothing is written.');
    return { reachable: decision.member.profile.reachable, kept: decision.keptEdits };
  };
  const edit: PendingEdit = {
    path: 'profile.email',
    editedAt: at(10),
    from: NESTED.contact_info.email,
    value: 'annar@postur.example',
  };

  it.each<[string, StoredMember | null, PendingEdit[], boolean]>([
    [
      'stays off where the registry had it on before: its member has withdrawn it since',
      stored(on),
      [],
      false,
    ],
    ['is on where the registry had it off before: that is news', stored(off), [], true],
    ['is on where what it said before is not known', stored(on, { source_hash: null }), [], true],
    ['is on for one who was gone', stored(on, { deleted_at: at(0) }), [], true],
    ['is on in a first document', null, [], true],
    [
      'stays off beside an edit of another field that waits',
      { ...stored(on), member: withFields(off, { 'profile.email': 'annar@postur.example' }) },
      [edit],
      false,
    ],
  ])('%s', (_what, before, pending, reachable) => {
    const after = shownAfter(before, pending);
    expect(after.reachable).toBe(reachable);
    expect(after.kept.includes('profile.reachable')).toBe(!reachable);
  });
});

describe('a member without the edits that wait', () => {
  const edit = (seconds: number, path: string, from: unknown, value: unknown): PendingEdit => ({
    path,
    editedAt: at(seconds),
    from,
    value,
  });

  it('is what the first edit of each field started from', () => {
    const edits = [
      edit(3, 'profile.email', 'second@postur.example', 'third@postur.example'),
      edit(1, 'profile.email', 'first@postur.example', 'second@postur.example'),
      edit(2, 'profile.reachable', true, false),
    ];
    const shown = withFields(on, { 'profile.email': 'third@postur.example', 'profile.reachable': false });
    expect(withoutPendingEdits(shown, edits)).toEqual(
      withFields(on, { 'profile.email': 'first@postur.example' }),
    );
  });

  it.each([
    ['of which that is not known', edit(1, 'profile.reachable', undefined, false)],
    ['of a field that nobody edits', edit(1, 'profile.name', 'Fyrra nafn', 'Annað nafn')],
    ['from what no field can hold', edit(1, 'profile.reachable', 'on', false)],
  ])('is as it is after an edit %s', (_what, one) => {
    expect(withoutPendingEdits(off, [one])).toEqual(off);
  });
});
