import { describe, expect, test } from 'vitest';
import type { Method } from './ast.ts';
import { decide, type RulesRequest } from './decide.ts';
import { LimitError } from './errors.ts';
import { listStatements } from './match.ts';
import { parseRules } from './parse.ts';

const RULES = `rules_version = '2';
service cloud.firestore {
  match /databases/{database}/documents {
    match /plain/{id} { allow read; }
    match /writes/{id} { allow write: if true; }
    match /outer/{outer} {
      allow get: if hasName('o');
      match /inner/{inner} { allow get: if hasName('o') && inner == 'i'; }
      function hasName(name) { return outer == name; }
    }
    match /tree/{rest=**} { allow get: if true; }
    match /{any=**}/leaf/{id} { allow get: if id == 'l'; }
    match /both/{id} { allow get: if false; }
    match /both/x { allow get: if true; }
    match /broken/{id} { allow get: if null.a; }
    match /broken/x { allow get: if true; }
  }
}`;

function request(method: Method, path: string): RulesRequest {
  return {
    method,
    path: `databases/(default)/documents/${path}`,
    auth: null,
    before: null,
    after: null,
    time: new Date(0),
  };
}

describe('a request', () => {
  const ruleset = parseRules(RULES);

  test.each([
    ['get', 'plain/a', true],
    ['list', 'plain/a', true],
    ['create', 'plain/a', false],
    ['get', 'plain/a/deeper/b', false],
    ['get', 'plain', false],
    ['create', 'writes/a', true],
    ['update', 'writes/a', true],
    ['delete', 'writes/a', true],
    ['get', 'writes/a', false],
    ['get', 'outer/o', true],
    ['get', 'outer/p', false],
    ['get', 'outer/o/inner/i', true],
    ['get', 'outer/p/inner/i', false],
    ['get', 'outer/o/inner/j', false],
    ['get', 'tree/a', true],
    ['get', 'tree/a/b/c', true],
    ['get', 'tree', true],
    ['get', 'leaf/l', true],
    ['get', 'a/b/leaf/l', true],
    ['get', 'a/b/leaf/m', false],
    ['get', 'both/x', true],
    ['get', 'both/y', false],
    ['get', 'broken/x', true],
    ['get', 'broken/y', false],
    ['get', 'unmentioned/x', false],
  ] as const)('to %s %s is allowed: %s', (method, path, isAllowed) => {
    expect(decide(ruleset, request(method, path)).isAllowed).toBe(isAllowed);
  });
});

describe('an evaluation', () => {
  const ruleset = (body: string, functions = '') =>
    parseRules(
      `rules_version = '2'; service cloud.firestore { match /databases/{d}/documents { ${functions}
        match /x/{id} { allow get: if ${body}; } } }`,
    );

  test('past 1,000 expressions is no decision', () => {
    const body = `[${Array.from({ length: 1000 }, () => '1').join()}].size() > 0`;
    expect(() => decide(ruleset(body), request('get', 'x/y'))).toThrow(LimitError);
  });

  test.each(['&&', '||'])('of more than 98 operators %s in a chain is no decision', (operator) => {
    const chain = (operators: number) => Array.from({ length: operators + 1 }, () => 'true').join(operator);
    expect(decide(ruleset(chain(98)), request('get', 'x/y')).isAllowed).toBe(true);
    expect(() => decide(ruleset(chain(99)), request('get', 'x/y'))).toThrow(LimitError);
  });

  test('of a function that calls itself without end is no decision', () => {
    expect(() => decide(ruleset('f()', 'function f() { return f(); }'), request('get', 'x/y'))).toThrow(
      LimitError,
    );
  });

  test('of a function with more than seven parameters is no decision', () => {
    const functions = 'function f(a, b, c, d, e, f, g, h) { return true; }';
    expect(() => decide(ruleset('f(1, 2, 3, 4, 5, 6, 7, 8)', functions), request('get', 'x/y'))).toThrow(
      LimitError,
    );
  });

  test('of a function with more than ten bindings is no decision', () => {
    const lets = Array.from({ length: 11 }, (_, n) => `let x${n} = 1;`).join(' ');
    expect(() =>
      decide(ruleset('f()', `function f() { ${lets} return true; }`), request('get', 'x/y')),
    ).toThrow(LimitError);
  });

  test('of a list that reads resource is loud, because a query is judged by its constraints', () => {
    const rules = parseRules(RULES.replace('allow read;', 'allow list: if resource.data.a == 1;'));
    expect(() => decide(rules, request('list', 'plain/a'))).toThrow('unsupported: the name resource');
  });
});

describe('parsing', () => {
  test('finds every statement in the order of the source', () => {
    expect(listStatements(parseRules(RULES)).map(({ line }) => line)).toEqual([
      4, 5, 7, 8, 11, 12, 13, 14, 15, 16,
    ]);
  });

  test.each([
    ['a missing brace', RULES.slice(0, -1), SyntaxError],
    ['an unclosed text', RULES.replace("'l'", "'l"), SyntaxError],
    ['version 1', RULES.replace("'2'", "'1'"), /unsupported: rules_version/],
    ['no version', RULES.replace(/^.*\n/, ''), /unsupported: .*VersionStatement/],
    ['an unknown method', RULES.replace('allow write', 'allow publish'), /unsupported: allow publish/],
    ['an increment', RULES.replace('null.a', '++id'), /not supported/],
    ['bytes', RULES.replace('null.a', "b'00' == id"), /unsupported/],
  ] as const)('refuses %s', (_, source, expected) => {
    expect(() => parseRules(source)).toThrow(expected);
  });
});
