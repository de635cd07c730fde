import { describe, expect, it } from 'vitest';
import { corridorsOf, measure, readRooms, readWay, trespassesOf } from '../../../.ci/house.ts';
import { circlesOf, makeGraph } from '../../../.ci/house-graph.ts';

const SRC = 'functions/src/';
const graphOf = (sources: Readonly<Record<string, string>>) =>
  makeGraph(new Map(Object.entries(sources).map(([file, text]) => [SRC + file, `${text}\n`])));

const PAGE = `# Page

## Rooms

| folder | holds | may import |
|---|---|---|
| \`domain/\` | rules | |
| \`roster/\`, \`portal/\` | features | \`domain/\` |

## Ways

### A webhook

\`portal/start.ts\` asks \`portal/next.ts\`, which decides by \`domain/rule.ts\`.

### Another

\`portal/start.ts\` and \`roster/far.ts\`.
`;

const HOUSE = graphOf({
  'domain/rule.ts': 'export type Rule = 1;',
  'portal/start.ts': "export const next = () => import('./next.ts');",
  'portal/next.ts': "import type { Rule } from '../domain/rule.ts'; export type Next = Rule;",
  'roster/far.ts': "export * from '../portal/next.ts';",
});

describe('the measures of the house', () => {
  it('find a circle that is made of types and late imports alone', () => {
    const circular = graphOf({
      'a.ts': "import type { B } from './b.ts'; export type A = B;",
      'b.ts': "export type B = import('./c.ts').C;",
      'c.ts': "export type C = 1; export const late = () => import('./a.ts');",
      'd.ts': "import './a.ts';",
    });
    expect(circlesOf(circular)).toEqual([[`${SRC}a.ts`, `${SRC}b.ts`, `${SRC}c.ts`]]);
    expect(circlesOf(HOUSE)).toEqual([]);
  });

  it('find an import into a room that the table does not allow, and a file in no room', () => {
    expect(trespassesOf(HOUSE, readRooms(PAGE))).toEqual([
      `${SRC}roster/far.ts imports ${SRC}portal/next.ts`,
    ]);
    expect(trespassesOf(graphOf({ 'elsewhere/a.ts': '' }), readRooms(PAGE))).toHaveLength(1);
    expect(() => readRooms('# No table')).toThrow('no table of rooms');
  });

  it('follow a way as far as imports lead, and no further', () => {
    expect(readWay(PAGE, 'A webhook', HOUSE)).toHaveLength(3);
    expect(() => readWay(PAGE, 'Another', HOUSE)).toThrow('nothing leads to functions/src/roster/far.ts');
    expect(() => readWay(PAGE, 'Unknown', HOUSE)).toThrow('has no way');
    expect(() => readWay(PAGE, 'A webhook', graphOf({ 'portal/start.ts': '' }))).toThrow('not there');
  });

  it('count files, lines, and small files with one importer', () => {
    expect(measure(HOUSE, 'functions/src')).toEqual({ files: 4, lines: 4, median: 1, longest: 1 });
    expect(corridorsOf(HOUSE, 'functions/src')).toEqual([`${SRC}domain/rule.ts`]);
  });
});
