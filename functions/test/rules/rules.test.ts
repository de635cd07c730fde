import { describe, expect, test } from 'vitest';
import { COLLECTIONS } from '../../src/adapters/firestore/collections.ts';
import { portalEditPaths } from '../../src/domain/member/field-table.ts';
import { CASES } from './cases.ts';
import { decideCase, SOURCES } from './decide-case.ts';
import type { AllowStatement, Method } from './evaluator/ast.ts';
import { LIMITS } from './evaluator/evaluate.ts';
import { listStatements } from './evaluator/match.ts';
import { parseRules } from './evaluator/parse.ts';

const RULESETS = { firestore: parseRules(SOURCES.firestore), storage: parseRules(SOURCES.storage) };

test('every collection has cases', () => {
  const asked = CASES.map(({ path }) =>
    path
      .split('/')
      .filter((_, step) => step % 2 === 0)
      .at(-1),
  );
  expect(Object.keys(COLLECTIONS).filter((name) => !asked.includes(name))).toEqual([]);
});

test('no two cases share a title', () => {
  const titles = CASES.map(({ title }) => title);
  expect(titles.filter((title, place) => titles.indexOf(title) !== place)).toEqual([]);
});

describe('the rules', () => {
  test.each(CASES)('$expect: $title', (row) => {
    const { isAllowed } = decideCase(RULESETS[row.service], row);
    expect(isAllowed ? 'allow' : 'deny').toBe(row.expect);
  });
});

test.each(portalEditPaths)(
  '%s, which members may edit, has values that are let through and values that are not',
  (path) => {
    const ofPath = CASES.filter(
      ({ change }) =>
        change !== undefined && 'update' in change && Object.keys(change.update).join() === path,
    );
    expect(new Set(ofPath.map((row) => row.expect))).toEqual(new Set(['allow', 'deny']));
  },
);

test('no case depends on how an error inside && or || is absorbed', () => {
  const differing = CASES.filter((row) => {
    const ruleset = RULESETS[row.service];
    return decideCase(ruleset, row, 'absorbed').isAllowed !== decideCase(ruleset, row, 'fatal').isAllowed;
  });
  expect(differing.map(({ title }) => title)).toEqual([]);
});

test('the largest edit leaves thirty of the expressions that one evaluation may have', () => {
  const used = Math.max(...CASES.map((row) => decideCase(RULESETS[row.service], row).expressions));
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThanOrEqual(LIMITS.expressions - 30);
});

describe('every allow statement', () => {
  const statements = (['firestore', 'storage'] as const).flatMap((service) =>
    listStatements(RULESETS[service]).flatMap((statement) =>
      statement.methods.map((method) => ({ service, statement, method, line: statement.line })),
    ),
  );

  function resultsOf(service: 'firestore' | 'storage', statement: AllowStatement, method: Method) {
    return CASES.filter((row) => row.service === service && row.operation === method).flatMap((row) => {
      const { outcomes, isAllowed } = decideCase(RULESETS[service], row);
      return outcomes
        .filter((outcome) => outcome.statement === statement)
        .map(({ result }) => ({ isTrue: result === 'true', isAllowed }));
    });
  }

  test.each(statements)('on line $line of $service.rules denies $method to somebody', (row) => {
    const results = resultsOf(row.service, row.statement, row.method);
    expect(results.some(({ isTrue, isAllowed }) => !isTrue && !isAllowed)).toBe(true);
  });

  const isNever = ({ condition }: AllowStatement) =>
    condition.type === 'literal' && condition.value === false;

  test.each(statements.filter(({ statement }) => !isNever(statement)))(
    'on line $line of $service.rules allows $method to somebody',
    (row) => {
      const results = resultsOf(row.service, row.statement, row.method);
      expect(results.some(({ isTrue, isAllowed }) => isTrue && isAllowed)).toBe(true);
    },
  );
});
