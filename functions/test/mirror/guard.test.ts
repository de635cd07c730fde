import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertMayApprove, explainVerdict, type GuardFigures, judgePlan } from '../../src/mirror/guard.ts';
import { DEFAULT_LIMITS } from '../support/default-limits.ts';

const limits = DEFAULT_LIMITS;

const figures = (given: Partial<GuardFigures>): GuardFigures => ({
  baseline: 2_216,
  received: 2_216,
  added: 0,
  removed: 0,
  quarantined: 0,
  ...given,
});

const rulesOf = (given: Partial<GuardFigures>) =>
  judgePlan(figures(given), limits).findings.map(({ rule }) => rule);

describe('the guard', () => {
  it.each([
    ['an ordinary week', { removed: 3, added: 8 }, []],
    ['exactly 5% removed', { baseline: 2_000, removed: 100 }, []],
    ['one more than 5% removed', { baseline: 2_000, removed: 101 }, ['removed_share']],
    ['a share between two whole numbers', { baseline: 2_216, removed: 110 }, []],
    ['the first whole number above that share', { baseline: 2_216, removed: 111 }, ['removed_share']],
    ['ten of forty removed', { baseline: 40, received: 30, removed: 10 }, []],
    ['eleven of forty removed', { baseline: 40, received: 29, removed: 11 }, ['removed_share']],
    ['500 of a large list', { baseline: 100_000, removed: 500 }, []],
    ['501 of a large list', { baseline: 100_000, removed: 501 }, ['removed_total']],
    ['everybody removed', { removed: 2_216 }, ['removed_share', 'removed_total']],
    ['half as many again', { added: 1_108 }, []],
    ['more than half as many again', { added: 1_109 }, ['added_share']],
    ['fifty joining a party of ten', { baseline: 10, added: 50 }, []],
    ['fifty-one joining a party of ten', { baseline: 10, added: 51 }, ['added_share']],
    ['a first run of any size', { baseline: null, added: 2_216 }, []],
    ['half of all changed', { updated: 1_108 }, []],
    ['more than half of all changed', { updated: 1_109 }, ['changed_share']],
    ['fifty of sixty changed', { baseline: 60, updated: 50 }, []],
    ['fifty-one of sixty changed', { baseline: 60, updated: 51 }, ['changed_share']],
    ['everybody changed in a first run', { baseline: null, updated: 2_216 }, []],
    ['5% who lose their email', { baseline: 2_000, blanked: { 'profile.email': 100 } }, []],
    ['more than 5% who lose it', { baseline: 2_000, blanked: { 'profile.email': 101 } }, ['blanked_share']],
    ['ten of twenty who lose it', { baseline: 20, blanked: { 'profile.email': 10 } }, []],
    [
      'two fields that many lose',
      { blanked: { 'profile.email': 111, 'profile.phone': 111, 'profile.name': 110 } },
      ['blanked_share', 'blanked_share'],
    ],
    ['five unreadable of ten', { received: 10, quarantined: 5 }, []],
    ['six unreadable of ten', { received: 10, quarantined: 6 }, ['quarantined_share']],
    ['1% unreadable', { received: 2_000, quarantined: 20 }, []],
    ['more than 1% unreadable', { received: 2_000, quarantined: 21 }, ['quarantined_share']],
    ['an unreadable first run', { baseline: null, quarantined: 100 }, ['quarantined_share']],
  ] satisfies [string, Partial<GuardFigures>, string[]][])('judges %s', (_what, given, expected) => {
    expect(rulesOf(given)).toEqual(expected);
  });

  it('never refuses a plan that it would refuse with more removals, additions and unreadable entries', () => {
    const amount = fc.nat({ max: 5_000 });
    fc.assert(
      fc.property(amount, amount, amount, amount, amount, (baseline, added, removed, quarantined, more) => {
        const smaller = rulesOf({ baseline, added, removed, quarantined });
        const larger = rulesOf({
          baseline,
          added: added + more,
          removed: removed + more,
          quarantined: quarantined + more,
        });
        expect(larger).toEqual(expect.arrayContaining(smaller));
      }),
    );
  });

  it('says in one sentence what it refused and what is allowed', () => {
    const verdict = judgePlan(figures({ removed: 600, quarantined: 30 }), limits);
    expect(explainVerdict(verdict)).toBe(
      '600 members would be removed, 110 allowed (removed_share); ' +
        '600 members would be removed, 500 allowed (removed_total); ' +
        '30 entries cannot be read, 22 allowed (quarantined_share)',
    );
    expect(explainVerdict(judgePlan(figures({ blanked: { 'profile.email': 900 } }), limits))).toBe(
      '900 members would lose a field, 110 allowed (blanked_share profile.email)',
    );
    expect(explainVerdict(judgePlan(figures({ added: 2_000, updated: 2_000 }), limits))).toBe(
      '2000 members would be added, 1108 allowed (added_share); ' +
        '2000 members would be changed, 1108 allowed (changed_share)',
    );
    expect(explainVerdict(judgePlan(figures({}), limits))).toBe('within all limits');
  });
});

describe('where two persons decide', () => {
  it.each([
    ['another approves', 'björn', ['anna']],
    ['another approves, whoever else asked for it later', 'björn', ['anna', 'björn']],
    ['another approves what a shared key asked for first', 'björn', ['api-key ops', 'anna']],
    ['the key stands elsewhere in the name', 'björn api-key ', ['anna api-key ']],
  ])('a plan is approved where %s', (_what, approver, planners) => {
    expect(() => assertMayApprove(approver, planners)).not.toThrow();
  });

  it.each([
    [
      'whoever asked for the plan approves it',
      'anna',
      ['anna'],
      /whoever asked for this plan may not approve it/,
    ],
    ['nobody is known to have asked', 'björn', [], /not known who asked for it.*One person makes a dry run/],
    ['only a shared key asked', 'björn', ['api-key ops'], /not known who asked for it/],
    ['a shared key approves', 'api-key ops', ['anna'], /not known.*who approves it/],
    ['nobody is known to approve', undefined, ['anna'], /not known.*who approves it/],
    ['nobody is known at all', undefined, [], /not known/],
  ])('it is not where %s', (_what, approver, planners, message) => {
    expect(() => assertMayApprove(approver, planners)).toThrow(
      expect.objectContaining({ code: 'second_person_needed', message: expect.stringMatching(message) }),
    );
  });
});
