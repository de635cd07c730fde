import { describe, expect, test } from 'vitest';
import { decide } from './decide.ts';
import { UnsupportedError } from './errors.ts';
import { DOCUMENT, type Expected, rulesOf, TABLES } from './expression-table.ts';
import { parseRules } from './parse.ts';

function outcomeOf(expression: string, errors: 'absorbed' | 'fatal' = 'absorbed'): Expected {
  try {
    const decision = decide(
      parseRules(rulesOf([expression])),
      {
        method: 'get',
        path: 'databases/(default)/documents/things0/x',
        auth: { uid: 'u', token: { roles: ['admin'] } },
        before: DOCUMENT,
        after: null,
        time: new Date('2026-01-02T00:00:00Z'),
        documents: { 'things0/x': { a: 1 } },
      },
      errors,
    );
    return decision.outcomes[0]?.result ?? 'unsupported';
  } catch (error) {
    if (error instanceof UnsupportedError) return 'unsupported';
    throw error;
  }
}

for (const [subject, rows] of Object.entries(TABLES)) {
  describe(subject, () => {
    test.each(rows)('%s is %s', (expression, expected) => {
      expect(outcomeOf(expression)).toBe(expected);
    });
  });
}

describe('with fatal errors', () => {
  test.each([
    ['d().absent || true', 'error'],
    ['d().absent && false', 'error'],
    ['true || d().absent', 'true'],
    ['false && d().absent', 'false'],
  ] as const)('%s is %s', (expression, expected) => {
    expect(outcomeOf(expression, 'fatal')).toBe(expected);
  });
});
