import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeMemberList } from '../../src/domain/kennitala-list.ts';
import { planRoster, type RosterTarget } from '../../src/roster/plan-roster.ts';
import { readHeldList } from '../../src/roster/published-list.ts';
import { anyKennitala, linesOf, makeKennitalas } from '../support/kennitalas.ts';

const targetOf = (text: string, generation = '7'): RosterTarget => ({
  generation,
  held: readHeldList(Buffer.from(text)),
});

const plan = (
  wanted: readonly string[],
  target: RosterTarget | null,
  lastMemberCount: number | null = null,
  abandonedPublished: string | null = null,
) => planRoster({ list: makeMemberList(wanted), target, lastMemberCount, abandonedPublished });

describe('planning the roster', () => {
  it('adds everybody on the first run, against no baseline', () => {
    const members = makeKennitalas(20);
    const first = plan(members, null);
    expect([...first.added]).toEqual(members);
    expect(first.figures).toMatchObject({ baseline: null, removed: 0 });
    expect(first.ifGeneration).toBeNull();
  });

  it('finds who joined and who left', () => {
    const members = makeKennitalas(20);
    const next = plan(members.slice(2), targetOf(linesOf(members.slice(0, 18))));
    expect([...next.added]).toEqual(members.slice(18));
    expect([...next.removed]).toEqual(members.slice(0, 2));
    expect(next.changes).toEqual({ added: 2, removed: 2, updated: 0, unchanged: 16, quarantined: 0 });
    // As many came as left, and still it is another list.
    expect(next.rewrite).toBe(false);
    expect(next.forecast.firestoreWrites).toBe(7);
    expect(next.figures.baseline).toBe(18);
    expect(next.ifGeneration).toBe('7');
  });

  it('writes nothing when the file is equal, byte for byte', () => {
    const members = makeKennitalas(20);
    const same = plan(members, targetOf(linesOf(members)));
    expect(same.changes).toMatchObject({ added: 0, removed: 0, unchanged: 20 });
    expect(same.rewrite).toBe(false);
  });

  it('writes the file anew when it holds the same members in another form', () => {
    const members = makeKennitalas(20);
    expect(plan(members, targetOf(linesOf(members).replaceAll('\n', '\r\n'))).rewrite).toBe(true);
  });

  it('takes the size of the last run for the baseline when the file has gone, and says so', () => {
    const truncated = plan(makeKennitalas(1_000), null, 2_216);
    expect(truncated.figures).toMatchObject({ baseline: 2_216, removed: 1_216, added: 0 });
    expect(truncated.warnings).toEqual([
      {
        code: 'published_list_missing',
        message: 'The published list is gone although the last run left 2216 members in it.',
      },
    ]);
  });

  it('says when the file holds lines that are no kennitala', () => {
    const members = makeKennitalas(20);
    const edited = plan(members, targetOf(`${linesOf(members)}remember to call\n`));
    expect(edited.warnings).toEqual([
      {
        code: 'published_list_edited',
        message: '1 line of the published list is no kennitala; this run replaces them.',
      },
    ]);
    expect(edited.rewrite).toBe(true);
  });

  it('says when the run that crashed had published', () => {
    const members = makeKennitalas(20);
    const target = targetOf(linesOf(members));
    expect(plan(members, target, 20, 'run-1').warnings).toEqual([
      { code: 'abandoned_run_published', message: expect.stringContaining('Run run-1') },
    ]);
    expect(plan(members, target, 20, null).warnings).toEqual([]);
  });

  it('has the same id for the same list and file, and another for any other', () => {
    const members = makeKennitalas(20);
    const before = targetOf(linesOf(members.slice(0, 10)));
    const { planId } = plan(members, before);
    expect(plan(members.toReversed(), before).planId).toBe(planId);
    expect(plan(members.slice(1), before).planId).not.toBe(planId);
    expect(plan(members, targetOf(linesOf(members.slice(0, 10)), '8')).planId).not.toBe(planId);
    expect(plan(members, targetOf(linesOf(members.slice(0, 9)))).planId).not.toBe(planId);
    expect(plan(members, null).planId).not.toBe(planId);
  });

  it('always leads from the file to the list', () => {
    const lists = fc.uniqueArray(anyKennitala, { maxLength: 40 });
    fc.assert(
      fc.property(lists, lists, (wanted, held) => {
        const made = plan(wanted, targetOf(linesOf([...held].sort())));
        const after = [...held.filter((k) => ![...made.removed].includes(k)), ...made.added].sort();
        expect(after).toEqual([...made.kennitalas]);
        expect(made.changes.added + made.changes.unchanged).toBe(wanted.length);
        expect(made.changes.removed + made.changes.unchanged).toBe(held.length);
      }),
    );
  });

  it('forecasts what a run writes', () => {
    const members = makeKennitalas(12_000);
    expect(plan(members, null).forecast).toMatchObject({
      firestoreWrites: 9,
      storageClassA: 1,
      storageClassB: 1,
    });
    expect(plan(members, targetOf(linesOf(members))).forecast).toMatchObject({ firestoreWrites: 4 });
  });
});
