import { describe, expect, test } from 'vitest';
import { CASES } from '../cases.ts';
import { decideCase, SOURCES } from '../decide-case.ts';
import type { Ruleset } from '../evaluator/ast.ts';
import { UnsupportedError } from '../evaluator/errors.ts';
import { parseRules } from '../evaluator/parse.ts';
import { makeMutants } from './mutants.ts';

/**
 * Guards that say what they mean: without them the next expression fails on the same values, and a failed condition
 * denies as well. The decision stays; that a failure takes its place is tested below.
 */
const FAILS_CLOSED: Readonly<Record<'firestore' | 'storage', readonly string[]>> = {
  firestore: [
    // isAdmin
    'request.auth != null → true',
    "request.auth.token.get('roles', null) is list → true",
  ],
  storage: [],
};

describe.each(['firestore', 'storage'] as const)('a fault in %s.rules', (service) => {
  const sound = parseRules(SOURCES[service]);
  const mutants = makeMutants(sound, SOURCES[service]);
  // The members' cases first: they notice most faults, so that most mutants are settled soon.
  const cases = CASES.filter((row) => row.service === service).toSorted(
    (a, b) => Number(b.path.startsWith('members')) - Number(a.path.startsWith('members')),
  );

  const isNoticed = (ruleset: Ruleset): boolean =>
    cases.some((row) => {
      try {
        return (decideCase(ruleset, row).isAllowed ? 'allow' : 'deny') !== row.expect;
      } catch (error) {
        // It reads what a request of this kind does not have.
        if (error instanceof UnsupportedError) return true;
        throw error;
      }
    });

  const countFailures = (ruleset: Ruleset): number =>
    cases.flatMap((row) => decideCase(ruleset, row).outcomes).filter(({ result }) => result === 'error')
      .length;

  test('is none where nothing was changed', () => {
    expect(isNoticed(sound)).toBe(false);
  });

  test('is noticed by the table of cases wherever it changes a decision', () => {
    expect(mutants.length).toBeGreaterThan(0);
    const unnoticed = mutants.filter(({ ruleset }) => !isNoticed(ruleset)).map(({ name }) => name);
    expect(unnoticed.toSorted()).toEqual(FAILS_CLOSED[service].toSorted());
  }, 600_000);

  test('fails closed where it changes none', () => {
    const failures = countFailures(sound);
    const silent = mutants
      .filter(({ name }) => FAILS_CLOSED[service].includes(name))
      .filter(({ ruleset }) => countFailures(ruleset) <= failures);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });
});
