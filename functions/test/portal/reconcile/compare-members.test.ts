import { beforeEach, describe, expect, it } from 'vitest';
import type { Kennitala } from '../../../src/domain/kennitala.ts';
import type { MemberToDecide } from '../../../src/portal/ports.ts';
import {
  type ComparisonDependencies,
  keptBeside,
  makeComparison,
  type Quarantined,
  warnOfQuarantine,
} from '../../../src/portal/reconcile/compare-members.ts';
import { makePortalTable } from '../../../src/portal/reconcile/portal-table.ts';
import { FOUR, held, MINUTE_MS, NOW, ONE, PEOPLE, row, THREE, TWO } from './support/one-run.ts';

const LEGAL_ENTITY = '4101750009' as Kennitala;
const NO_SUCH_DAY = '3102750009' as Kennitala;
const PLACEHOLDER = '9999000001' as Kennitala;
const WITHDRAWN = { 'profile.reachable': new Date(0) };

/** What the member has just written in the portal. */
const edited = (said: ReturnType<typeof row>): Partial<MemberToDecide> => {
  const { member, meta } = held(said);
  const profile = { ...member.profile, email: 'mine@postur.example' };
  return { stored: { member: { ...member, profile }, meta }, writtenAt: new Date(NOW.getTime() - MINUTE_MS) };
};

/** Documents as a run read them into its table, and as they are now. */
let documents: Map<Kennitala, MemberToDecide>;
let table: ReturnType<typeof makePortalTable>;
/** What was asked of the store. */
let asked: { readonly read: Kennitala[][]; readonly former: [Kennitala, number][][] };
beforeEach(() => {
  documents = new Map();
  table = makePortalTable();
  asked = { read: [], former: [] };
});

/** @param more `state` is what the document is now, where that is not what the table has. */
const hold = (said: ReturnType<typeof row>, more: Partial<MemberToDecide> = {}, isActive = true): void => {
  const { pending, ...asSaid } = held(said, isActive);
  const stored = more.stored ?? asSaid;
  const kennitala = said.ssn as Kennitala;
  table.add(kennitala, stored, 's');
  documents.set(kennitala, { stored, state: 's', writtenAt: new Date(0), pending, ...more });
};

const compare = async (rows: readonly object[], given: Partial<ComparisonDependencies> = {}) => {
  const comparison = makeComparison({
    table: table.finish(),
    now: () => NOW,
    index: {
      documents: () => {
        throw new Error('The documents were read already.');
      },
      read: async (kennitalas) => {
        asked.read.push([...kennitalas]);
        return new Map(
          kennitalas.flatMap((one) => {
            const document = documents.get(one);
            return document === undefined ? [] : [[one, document] as const];
          }),
        );
      },
      former: async (members) => {
        asked.former.push(members.map(({ kennitala, djangoId }) => [kennitala, djangoId]));
        return new Map(members.map(({ kennitala }) => [kennitala, WITHDRAWN]));
      },
    },
    ...given,
  });
  await comparison.addPage(rows);
  return comparison.finish();
};
const changed = (kennitala: string, more: object = {}) =>
  row(kennitala, { version: 4, name: 'Renamed Person', ...more });
const NOTHING = {
  unchanged: 0,
  placeholders: 0,
  duplicates: 0,
  legalEntities: 0,
  impossibleDates: 0,
  ahead: 0,
  takenBack: 0,
  overtaken: 0,
  editsUnderWay: 0,
};

describe('what a comparison counts', () => {
  it.each<[string, () => void, readonly object[], Partial<typeof NOTHING>, number]>([
    ['who is as they were', () => hold(row(ONE)), [row(ONE)], { unchanged: 1 }, 0],
    ['a placeholder', () => undefined, [row(PLACEHOLDER)], { placeholders: 1 }, 0],
    ['a broken placeholder', () => undefined, [row(PLACEHOLDER, { gender: 99 })], { placeholders: 1 }, 0],
    ['a legal entity', () => undefined, [row(LEGAL_ENTITY, { id: 1 })], { legalEntities: 1 }, 1],
    ['a day that no month has', () => undefined, [row(NO_SUCH_DAY, { id: 1 })], { impossibleDates: 1 }, 1],
    [
      'a second one of a number',
      () => hold(row(ONE)),
      [row(ONE), row(ONE)],
      { unchanged: 1, duplicates: 1 },
      0,
    ],
    [
      'a second newcomer of a number',
      () => undefined,
      [row(ONE), row(ONE, { id: 99 })],
      { duplicates: 1 },
      1,
    ],
    ['whose version is newer here', () => hold(row(ONE, { version: 9 })), [row(ONE)], { ahead: 1 }, 0],
    ['who was written meanwhile', () => hold(row(ONE), { state: 't' }), [changed(ONE)], { overtaken: 1 }, 0],
    ['who was deleted meanwhile', () => hold(row(ONE), { state: null }), [changed(ONE)], { overtaken: 1 }, 0],
    ['whose edit is under way', () => hold(row(ONE), edited(row(ONE))), [row(ONE)], { editsUnderWay: 1 }, 0],
  ])('is %s', async (_what, given, rows, counts, differences) => {
    given();
    const found = await compare(rows);
    expect(found.counts).toEqual({ ...NOTHING, ...counts });
    expect([found.received, found.differences.length]).toEqual([rows.length, differences]);
    expect(found.quarantined).toEqual([]);
  });

  it('is whose content changes, and apart from them who is noted, is new or comes back', async () => {
    hold(row(ONE));
    hold(row(TWO));
    hold(row(THREE), {}, false);
    const digest = 'ab'.repeat(32);
    const found = await compare([changed(ONE), row(TWO, { digest }), row(THREE), row(FOUR)]);
    expect(found).toMatchObject({ changed: 1, noted: 1, differences: { length: 4 }, blanked: {} });
    expect(Array.from(found.differences, ({ kind }) => kind)).toEqual([
      'update',
      'update',
      'revive',
      'create',
    ]);
  });

  it('is what becomes empty, field by field; that somebody is a member again is no such thing', async () => {
    const contact_info = { email: '', phone: '' };
    hold(row(ONE));
    hold(row(TWO));
    hold(row(THREE), {}, false);
    const found = await compare([
      changed(ONE, { contact_info }),
      changed(TWO, { contact_info: { email: '', phone: '5551234' } }),
      changed(THREE),
    ]);
    expect(found.blanked).toEqual({ 'profile.email': 2, 'profile.phone': 1 });
  });
});

describe('an operator who takes the registry’s word', () => {
  it.each([
    ['of all', 'all', 2],
    ['of one', ONE, 1],
    ['of nobody', null, 0],
    ['of somebody else', THREE, 0],
  ] as const)('%s has later versions count for nothing', async (_what, takesWordOf, takenBack) => {
    hold(row(ONE, { version: 9 }));
    hold(row(TWO, { version: 9 }));
    hold(row(FOUR));
    const found = await compare([row(ONE), row(TWO), changed(FOUR)], { takesWordOf });
    expect(found.counts).toEqual({ ...NOTHING, ahead: 2 - takenBack, takenBack });
    expect(found.differences.length).toBe(takenBack + 1);
  });
});

describe('what the store is asked', () => {
  it('is about documents that differ, and about who was somebody else: in one call each', async () => {
    hold(row(ONE));
    hold(row(TWO));
    hold(row(THREE), {}, false);
    const newcomer = PEOPLE[4] ?? ONE;
    const nameless = { ...row(PEOPLE[5] ?? ONE), id: null };
    const found = await compare([row(ONE), changed(TWO), changed(THREE), row(newcomer), nameless]);
    expect(asked).toEqual({
      read: [[TWO, THREE]],
      former: [
        [
          [THREE, 3],
          [newcomer, 5],
        ],
      ],
    });
    const former = Array.from(found.differences, ({ kennitala, former: withdrawn }) => [
      kennitala,
      withdrawn,
    ]);
    expect(new Map(former as [string, unknown][])).toEqual(
      new Map<string, unknown>([
        [TWO, undefined],
        [THREE, WITHDRAWN],
        [newcomer, WITHDRAWN],
        [nameless.ssn, undefined],
      ]),
    );
  });

  it('is nothing where nothing differs, nobody is there and nobody had another number', async () => {
    hold(row(ONE));
    await compare([row(ONE)]);
    expect(asked).toEqual({ read: [], former: [] });
    await compare([row(ONE), changed(ONE), { ...row(TWO), id: null }]);
    expect(asked).toEqual({ read: [], former: [] });
  });

  it.each<[string, Partial<ComparisonDependencies>, number, number]>([
    ['of an empty portal, which has nobody to follow', {}, 0, 0],
    ['of a part, whose table lacks tombstones', { isScoped: true }, 1, 1],
    ['of a first load that is gone on with', { isScoped: true, isFirstLoad: true }, 1, 0],
  ])('is, %s, about newcomers: %#', async (_what, given, read, former) => {
    await compare([row(ONE), row(TWO)], given);
    expect([asked.read.length, asked.former.length]).toEqual([read, former]);
    if (read > 0) expect(asked.read).toEqual([[ONE, TWO]]);
  });
});

describe('the writes of a comparison', () => {
  it.each([
    [2, true],
    [1, false],
  ])('are kept while they are no more than %i: %s', async (keptWrites, areKept) => {
    hold(row(ONE));
    const { kept, differences } = await compare([row(ONE), row(TWO), row(THREE)], { keptWrites });
    expect(kept === null ? null : [...kept.keys()]).toEqual(areKept ? [TWO, THREE] : null);
    expect(differences.length).toBe(2);
  });

  it.each([
    [0, 12_000],
    [2_216, 11_960],
    [100_000, 10_182],
    [604_999, 1_001],
    [1_000_000, 1_000],
  ])('leave room for a table of %i', (rows, writes) => {
    expect(keptBeside(rows)).toBe(writes);
  });
});

describe('who cannot be read', () => {
  it('is named by their place on all pages, and counts as seen', async () => {
    hold(row(TWO));
    const found = await compare([row(ONE), row(TWO, { gender: 99 }), { id: 7, ssn: 'unreadable' }]);
    expect(found.quarantined).toMatchObject([
      { position: 1, kennitala: TWO, djangoId: 2 },
      { position: 2, kennitala: null, djangoId: 7 },
    ]);
    expect(found.received).toBe(3);
  });

  it('is warned of by reference or place, and not at all where there is nobody', async () => {
    const one: Quarantined = { position: 4, kennitala: ONE, djangoId: 1, reason: 'gender: is none.' };
    const warn = (all: readonly Quarantined[]) => warnOfQuarantine(all, async () => 'm_1');
    expect(await warn([])).toEqual([]);
    expect(await warn([one, { ...one, kennitala: null }])).toEqual([
      {
        code: 'quarantined_members',
        message:
          '2 members cannot be read: left as they are. m_1: gender: is none. number 4 of the pages: gender: is none.',
      },
    ]);
  });
});
