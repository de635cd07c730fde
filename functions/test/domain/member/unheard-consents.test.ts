import { describe, expect, it } from 'vitest';
import {
  asHeard,
  decideChange,
  type StoredMember,
  withHeard,
  withWord,
} from '../../../src/domain/member/decide-change.ts';
import { withFields } from '../../../src/domain/member/fields.ts';
import {
  EVENT_COMES_MS,
  type Heard,
  heardOfRegistration,
  type PendingEdit,
} from '../../../src/domain/member/kept-values.ts';
import { parseRegistryMember } from '../../../src/domain/member/parse-registry-member.ts';
import { applyPatch, sourceHash } from '../../../src/domain/member/patch.ts';
import { KENNITALA, NESTED } from './support/wire-members.ts';

const PATH = 'profile.reachable';
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));
const saying = (isOn: boolean) => parseRegistryMember({ ...NESTED, reachable: isOn });
const showing = (isOn: boolean) => applyPatch(null, saying(isOn));

/** A document that shows the consent so, where the servers know of another value, or of none. */
const stored = (
  isShown: boolean,
  heard: boolean | null,
  meta: Partial<StoredMember['meta']> = {},
): StoredMember => ({
  member: showing(isShown),
  meta: {
    django_id: NESTED.id,
    source_version: 1,
    source_hash: sourceHash(showing(heard ?? isShown)),
    deleted_at: null,
    ...(heard !== null && {
      heard: { consents: { [PATH]: heard, 'profile.groupable': true }, writtenOver: {} },
    }),
    ...meta,
  },
});

interface Told {
  readonly pending?: readonly PendingEdit[];
  readonly isLate?: boolean;
  readonly action?: 'update' | 'delete';
}

/** What the portal shows, and what the servers then know, after the registry's word about a stored member. */
const after = (
  before: StoredMember | null,
  isOn: boolean,
  { pending = [], isLate = false, action = 'update' }: Told = {},
) => {
  const facts = { kennitala: KENNITALA, version: NESTED.version, occurredAt: at(20) };
  const decision = decideChange(
    before,
    action === 'delete' ? { ...facts, action, content: null } : { ...facts, action, content: saying(isOn) },
    { pending, isLate, origin: 'registry', now: at(30) },
  );
  if (decision.kind !== 'write') throw new Error('Nothing is written.');
  const { member, meta, keptEdits } = decision;
  const { consents = {}, writtenOver = {} } = meta.heard ?? {};
  const [heard, isOver] = [consents[PATH], PATH in writtenOver];
  return { shown: member.profile.reachable, heard, isOver, isKept: keptEdits.includes(PATH) };
};

const edit = (seconds: number, value: boolean): PendingEdit => ({
  path: PATH,
  editedAt: at(seconds),
  from: !value,
  value,
});

describe('a consent that the document shows otherwise than the servers know', () => {
  it.each<[string, boolean, boolean, Told]>([
    ['withdrawn, and on in the registry', false, true, {}],
    ['withdrawn, and off there by now', false, false, {}],
    ['withdrawn after an edit that gave it, which waits', false, true, { pending: [edit(10, true)] }],
    ['withdrawn, however long nobody heard of it', false, true, { isLate: true }],
    ['given, and off in the registry', true, false, {}],
    ['given after an edit that withdrew it, which waits', true, false, { pending: [edit(10, false)] }],
    ['withdrawn, of one who leaves', false, true, { action: 'delete' }],
  ])('stays as its member left it, and is still to be heard: %s', (_what, isShown, isOn, told) => {
    const found = after(stored(isShown, !isShown), isOn, told);
    expect(found).toEqual({
      shown: isShown,
      heard: !isShown,
      isOver: false,
      isKept: isOn !== isShown && told.action !== 'delete',
    });
  });

  it('stays off for one who left and is back', () => {
    expect(after(stored(false, true, { deleted_at: at(0) }), true)).toMatchObject({
      shown: false,
      heard: true,
    });
  });

  it('stays on over a withdrawal that was refused before: that it was given is the later word', () => {
    expect(after(stored(true, false, { withdrawn: { [PATH]: at(5) } }), true)).toMatchObject({ shown: true });
  });

  it('counts as never given where no event comes any more', () => {
    expect(after(stored(true, false), false, { isLate: true })).toMatchObject({ shown: false, heard: false });
  });
});

describe('a registration of which nobody has heard', () => {
  it.each([true, false])('keeps its consents over the registry’s word (on: %s)', (isShown) => {
    const member = showing(isShown);
    const meta = { django_id: null, source_version: null, source_hash: null, deleted_at: null };
    const registered = { member, meta: { ...meta, heard: heardOfRegistration({ [PATH]: isShown }) } };
    expect(after(registered, !isShown)).toMatchObject({ shown: isShown, isKept: true });
  });

  it('keeps none over it that its document does not hold: they were not asked', () => {
    const meta = { django_id: null, source_version: null, source_hash: null, deleted_at: null };
    const registered = { member: showing(false), meta: { ...meta, heard: heardOfRegistration({}) } };
    expect(after(registered, true)).toMatchObject({ shown: true });
  });

  it('is waited for as long as the platform repeats its event: a day', () => {
    expect(EVENT_COMES_MS).toBeGreaterThan(24 * 60 * 60_000);
  });
});

describe('a consent that the document shows as the servers know it', () => {
  it.each([true, false])('follows the registry, and is known from then on (on: %s)', (isOn) => {
    const known = { shown: isOn, heard: isOn, isKept: false };
    expect(after(stored(!isOn, !isOn), isOn)).toEqual({ ...known, isOver: true });
    expect(after(stored(isOn, isOn), isOn)).toEqual({ ...known, isOver: false });
    expect(after(null, isOn)).toEqual({ ...known, isOver: false });
  });

  it('follows a later word of the registry over an edit that waits, and its next one too', () => {
    const pending = [edit(10, true)];
    expect(after(stored(true, true), false, { pending })).toMatchObject({ shown: false, heard: false });
    expect(after(stored(false, false), true, { pending })).toMatchObject({ shown: true, heard: true });
  });
});

describe('a document of which it is not known what the servers have heard', () => {
  it.each([
    [false, true],
    [true, false],
  ])('follows the registry, and is known from then on (over another value: %s)', (isShown, isOver) => {
    expect(after(stored(isShown, null), true)).toEqual({ shown: true, heard: true, isOver, isKept: false });
  });
});

describe('what the servers know', () => {
  const known: { readonly heard: Heard } = {
    heard: { consents: { [PATH]: true }, writtenOver: { 'profile.groupable': at(1) } },
  };

  it('is what a server writes over something, as of that write', () => {
    const values = { [PATH]: false, 'profile.email': 'a@postur.example' };
    expect(withHeard(known, values)).toEqual({
      heard: { consents: { [PATH]: false }, writtenOver: { [PATH]: null, 'profile.groupable': at(1) } },
    });
    expect(withHeard({}, values)).toEqual({
      heard: { consents: { [PATH]: false }, writtenOver: { [PATH]: null } },
    });
  });

  it('is as before, and as little, where a server writes no consent', () => {
    expect(withHeard(known, { 'profile.email': '' })).toEqual(known);
    expect(withHeard({}, { 'profile.email': '' })).toEqual({});
  });

  it('is what the event of an edit says', () => {
    const { writtenOver } = known.heard;
    expect(withWord(known, { [PATH]: false })).toEqual({
      heard: { consents: { [PATH]: false }, writtenOver },
    });
  });

  it('makes the member as they were before what nobody has heard', () => {
    expect(asHeard(stored(false, true))).toEqual(showing(true));
    expect(asHeard(stored(false, null))).toEqual(showing(false));
    const renamed = {
      ...stored(false, true),
      member: withFields(showing(false), { 'profile.name': 'Annað' }),
    };
    expect(asHeard(renamed).profile).toMatchObject({ name: 'Annað', reachable: true });
  });
});
