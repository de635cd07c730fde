import { describe, expect, test } from 'vitest';
import { decide, type Fields } from './decide.ts';
import { UnsupportedError } from './errors.ts';
import { parseRules } from './parse.ts';

type Expected = 'true' | 'false' | 'error' | 'unsupported';

const DOCUMENT: Fields = {
  text: 'abc',
  count: 3,
  half: 0.5,
  flag: true,
  nothing: null,
  list: ['a', 'b'],
  map: { a: 1, inner: { b: 2 } },
  when: new Date('2026-01-01T00:00:00Z'),
};

/** `d` is the document above; `request.time` is a day later than `d.when`; `things/x` exists. */
function outcomeOf(expression: string, errors: 'absorbed' | 'fatal' = 'absorbed'): Expected {
  const source = `rules_version = '2';
    service cloud.firestore { match /databases/{database}/documents { match /things/{id} {
      function d() { return resource.data; }
      function twice(x) { let y = x + x; return y; }
      function unusedFailure() { let y = null.a; return true; }
      allow get: if ${expression};
    } } }`;
  try {
    const decision = decide(
      parseRules(source),
      {
        method: 'get',
        path: 'databases/(default)/documents/things/x',
        auth: { uid: 'u', token: { roles: ['admin'] } },
        before: DOCUMENT,
        after: null,
        time: new Date('2026-01-02T00:00:00Z'),
        documents: { 'things/x': { a: 1 } },
      },
      errors,
    );
    return decision.outcomes[0]?.result ?? 'unsupported';
  } catch (error) {
    if (error instanceof UnsupportedError) return 'unsupported';
    throw error;
  }
}

const TABLES: Readonly<Record<string, readonly (readonly [string, Expected])[]>> = {
  'equality and order': [
    ['1 == 1', 'true'],
    ['1 == 1.0', 'true'],
    ["1 == '1'", 'false'],
    ["1 != '1'", 'true'],
    ['null == null', 'true'],
    ['9007199254740993 == 9007199254740992', 'false'],
    ["{'a': [1, 2]} == {'a': [1, 2]}", 'true'],
    ["{'a': 1} == {'a': 1, 'b': 2}", 'false'],
    ['[1, 2] == [2, 1]', 'false'],
    ['[1, 2].toSet() == [2, 1].toSet()', 'true'],
    ['1 < 1.5', 'true'],
    ["'a' < 'b'", 'true'],
    ["1 < 'b'", 'error'],
    ['null < 1', 'error'],
    ['d().when < request.time', 'true'],
    ['d().nothing == null', 'true'],
    ['d().text == null', 'false'],
    ['resource == null', 'false'],
    ['request.resource == null', 'true'],
  ],
  'errors beside && and ||': [
    ['d().absent || true', 'true'],
    ['true || d().absent', 'true'],
    ['d().absent || false', 'error'],
    ['false || d().absent', 'error'],
    ['(d().absent && false) == false', 'true'],
    ['false && d().absent', 'false'],
    ['d().absent && true', 'error'],
    ['true && d().absent', 'error'],
    ['!d().absent', 'error'],
    ['1 && true', 'error'],
    ["'a' || true", 'true'],
    ['null', 'false'],
    ["'true'", 'false'],
    ['unusedFailure()', 'error'],
  ],
  'arithmetic and precedence': [
    ['1 + 2 * 3 == 7', 'true'],
    ['(1 + 2) * 3 == 9', 'true'],
    ['7 / 2 == 3', 'true'],
    ['7 % 4 == 3', 'true'],
    ['-3 + 5 == 2', 'true'],
    ['1 / 0 == 1', 'error'],
    ['1 + 0.5 == 1.5', 'true'],
    ["'a' + 'b' == 'ab'", 'true'],
    ["'a' + 1 == 'a1'", 'unsupported'],
    ['true || false && false', 'true'],
    ['!false && true', 'true'],
    ['1 < 2 ? true : d().absent', 'true'],
    ['null ? true : true', 'error'],
    ['twice(2) == 4', 'true'],
    ['twice(1, 2) == 4', 'unsupported'],
  ],
  'membership and types': [
    ["'a' in ['a']", 'true'],
    ["'a' in {'a': 1}", 'true'],
    ["1 in {'a': 1}", 'false'],
    ["'a' in ['b'].toSet()", 'false'],
    ['1 in [1.0]', 'true'],
    ["'a' in 'abc'", 'error'],
    ["!('z' in d())", 'true'],
    ['d().count is int', 'true'],
    ['d().count is number', 'true'],
    ['d().count is float', 'false'],
    ['d().half is float', 'true'],
    ['d().half is int', 'false'],
    ['d().flag is bool', 'true'],
    ['d().nothing is map', 'false'],
    ['d().list is list', 'true'],
    ['d().map is map', 'true'],
    ['d().text is string', 'true'],
    ['d().when is timestamp', 'true'],
    ['d().text is colour', 'unsupported'],
    ['d().absent is string', 'error'],
  ],
  access: [
    ["d()['text'] == 'abc'", 'true'],
    ["d().list[0] == 'a'", 'true'],
    ['d().list[2] == null', 'error'],
    ["d().list[0:1] == ['a']", 'true'],
    ["d().text[0:2] == 'ab'", 'true'],
    ['d().list[0:3] == []', 'error'],
    ['d().text.a == 1', 'error'],
    ['d().nothing.a == 1', 'error'],
    ['request.auth.token.roles == null', 'false'],
    ['request.auth.email == null', 'unsupported'],
    ['undeclared == null', 'unsupported'],
    ['undeclared() == null', 'unsupported'],
  ],
  text: [
    ['d().text.size() == 3', 'true'],
    ["'þð'.size() == 2", 'true'],
    ["'abc'.matches('b')", 'false'],
    ["'abc'.matches('a.c')", 'true'],
    ["'ab'.matches('a|b')", 'false'],
    ["'a\\n'.matches('^a$')", 'false'],
    ["'a\\n'.matches('a.')", 'false'],
    ["'a\\u2028'.matches('a.')", 'unsupported'],
    ["'a b'.matches('a\\\\sb')", 'true'],
    ["'a-b'.matches('[a[-]+b')", 'true'],
    ["'aa'.matches('(?i)AA')", 'unsupported'],
    ["'aa'.matches('(a)\\\\1')", 'unsupported'],
    ["'a'.matches('[[:alpha:]]')", 'unsupported'],
    ['d().count.matches("3")', 'error'],
    ["'a-b-c'.replace('-', '') == 'abc'", 'true'],
    ["'a'.replace('(a)', '\\\\1') == 'a'", 'unsupported'],
    ["'a,b'.split(',') == ['a', 'b']", 'true'],
    ["' Ab '.trim().lower() == 'ab' && 'a'.upper() == 'A'", 'true'],
    ['d().text.reversed() == 1', 'unsupported'],
  ],
  'lists and sets': [
    ["['a', 'b'].hasOnly(['a'])", 'false'],
    ["['a', 'a'].hasOnly(['a', 'b'])", 'true'],
    ["[].hasOnly(['a'])", 'true'],
    ["['a'].hasAny(['b', 'a'])", 'true'],
    ["['a'].hasAny([])", 'false'],
    ["['a'].hasAll(['a', 'b'])", 'false'],
    ["['a'].concat(['b']) == d().list", 'true'],
    ['[true, false, true].removeAll([false]).size() == 2', 'true'],
    ["['a', 'b'].join('-') == 'a-b'", 'true'],
    ["[1].join('-') == '1'", 'unsupported'],
    ['[1, 1].toSet().size() == 1', 'true'],
    ['[1, 2].toSet().difference([2].toSet()) == [1].toSet()', 'true'],
    ['[1, 2].toSet().intersection([2].toSet()) == [2].toSet()', 'true'],
    ['[1].toSet().union([2].toSet()).hasAll([1, 2])', 'true'],
    ['[1].toSet().hasOnly([1, 2]) && ![1].toSet().hasAny([2])', 'true'],
    ["['a'].hasAny('a')", 'error'],
    ["'a'.hasAny(['a'])", 'error'],
    ['{}.hasAny([])', 'error'],
  ],
  maps: [
    ["d().get('absent', 7) == 7", 'true'],
    ["d().get('nothing', 7) == null", 'true'],
    ["d().get(['map', 'inner', 'b'], 7) == 2", 'true'],
    ["d().get(['map', 'absent', 'b'], 7) == 7", 'true'],
    ["d().get(['text', 'b'], 7) == 7", 'error'],
    ["d().get('absent') == 7", 'unsupported'],
    ["d().map.keys().hasOnly(['a', 'inner'])", 'true'],
    ['d().map.size() == 2 && d().map.values().hasAll([1])', 'true'],
    ["{'a': 1, 'b': 2}.diff({'a': 2, 'c': 3}).affectedKeys() == ['a', 'b', 'c'].toSet()", 'true'],
    ["{'a': 1, 'b': 2}.diff({'a': 2, 'c': 3}).addedKeys() == ['b'].toSet()", 'true'],
    ["{'a': 1, 'b': 2}.diff({'a': 2, 'c': 3}).removedKeys() == ['c'].toSet()", 'true'],
    ["{'a': 1, 'b': 2}.diff({'a': 2, 'c': 3}).changedKeys() == ['a'].toSet()", 'true'],
    ["{'a': 1, 'b': 2}.diff({'a': 1}).unchangedKeys() == ['a'].toSet()", 'true'],
    ["{'a': {'x': 1}}.diff({'a': {'x': 1}}).affectedKeys().size() == 0", 'true'],
    ["{'a': null}.diff({}).affectedKeys().hasOnly(['a'])", 'true'],
    ['{}.diff(null).affectedKeys().size() == 0', 'error'],
  ],
  'functions and paths': [
    ["string(3) == '3' && string(null) == 'null' && string(true) == 'true'", 'true'],
    ["string(1.0) == '1.0' && string(0.5) == '0.5'", 'true'],
    ["string({}) == ''", 'error'],
    ["int('12') == 12 && int(1.9) == 1", 'true'],
    ["int('x') == 1", 'error'],
    ["float('1.5') == 1.5", 'true'],
    ['exists(/databases/$(database)/documents/things/$(id))', 'true'],
    ['exists(/databases/$(database)/documents/things/y)', 'false'],
    ['get(/databases/$(database)/documents/things/x).data.a == 1', 'true'],
    ['get(/databases/$(database)/documents/things/y).data.a == 1', 'error'],
    ['getAfter(/databases/$(database)/documents/things/x) == null', 'unsupported'],
    ['math.abs(-1) == 1', 'unsupported'],
    ["request.method == 'get' && id == 'x' && database == '(default)'", 'true'],
    ['resource.id == id', 'true'],
    ['request.query.limit < 10', 'unsupported'],
  ],
};

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
