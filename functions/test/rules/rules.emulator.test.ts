import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { CASES } from './cases.ts';
import { decideCase, SOURCES } from './decide-case.ts';
import { LIMITS } from './evaluator/evaluate.ts';
import { DOCUMENT, rulesOf, TABLES } from './evaluator/expression-table.ts';
import { parseRules } from './evaluator/parse.ts';
import { makeOfficialRules, type OfficialRules } from './official/official-rules.ts';

const host = process.env['CONFORMANCE_FIRESTORE_HOST'] ?? '';

describe('the rules on the official emulator', () => {
  let official: OfficialRules;
  beforeAll(async () => {
    if (host === '') return;
    official = makeOfficialRules(host, `demo-${randomUUID().slice(0, 8)}`);
    await official.load(SOURCES.firestore);
  });

  test.each(CASES.filter(({ service }) => service === 'firestore'))('$expect: $title', async (row) => {
    const { before, operation, path } = row;
    await official.store(operation === 'list' ? `${path}/stored` : path, before);
    expect(await official.decide(row)).toBe(row.expect);
  });
});

describe('the limit of one evaluation on the official emulator', () => {
  const ruleset = parseRules(SOURCES.firestore);
  const rows = CASES.filter(({ operation, expect }) => operation === 'update' && expect === 'allow');
  const [largest] = rows
    .map((row) => ({ row, used: decideCase(ruleset, row).expressions }))
    .toSorted((one, other) => other.used - one.used);

  /** The rules with so many expressions more before each update's condition. */
  const padded = (count: number) =>
    SOURCES.firestore.replaceAll(
      'allow update: if ',
      `allow update: if [${Array(count - 6)
        .fill('1')
        .join(', ')}].size() > 0 && `,
    );

  test.each([
    ['allowed with as many expressions more as the evaluator finds free', 0, 'allow'],
    ['denied with one more than that', 1, 'deny'],
  ] as const)('the largest edit is %s', async (_, beyond, expected) => {
    if (!largest) throw new Error('no edit is allowed');
    const official = makeOfficialRules(host, `demo-${randomUUID().slice(0, 8)}`);
    await official.load(padded(LIMITS.expressions - largest.used + beyond));
    await official.store(largest.row.path, largest.row.before);
    expect(await official.decide(largest.row)).toBe(expected);
  });
});

describe('the language on the official emulator', () => {
  // What the evaluator refuses to guess says nothing of the language.
  const rows = Object.values(TABLES)
    .flat()
    .filter(([, expected]) => expected !== 'unsupported');
  let official: OfficialRules;
  beforeAll(async () => {
    if (host === '') return;
    official = makeOfficialRules(host, `demo-${randomUUID().slice(0, 8)}`);
    await official.load(rulesOf(rows.map(([expression]) => expression)));
  });

  test.each(rows.map(([expression, expected], place) => ({ expression, expected, place })))(
    '$expression is $expected',
    async ({ expected, place }) => {
      await official.store(`things${place}/x`, { ...DOCUMENT, a: 1 });
      expect(await official.get(`things${place}/x`, { roles: ['admin'] })).toBe(expected);
    },
  );
});
