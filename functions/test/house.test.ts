import { describe, expect, it } from 'vitest';
import {
  corridorsOf,
  hooksOutsideTests,
  measure,
  readRooms,
  readWay,
  trespassesOf,
  twiceExportedIn,
} from '../../.ci/house.ts';
import { circlesOf, makeGraph } from '../../.ci/house-graph.ts';

const PAGE = `
## Rooms

| in \`functions/src\` | holds | may import |
|---|---|---|
| \`domain/\` | people | |
| \`portal/\` | a feature | \`domain\` |
| \`adapters/\` | a store | \`portal/ports.ts\`, \`domain\` |
| \`wiring/\` | all | \`*\` |

### A way

\`wiring/portal.ts\` calls \`portal/portal.ts\`, as \`portal/ports.ts\` says.
`;

const graphOf = (files: Readonly<Record<string, string>>) =>
  makeGraph(new Map(Object.entries(files).map(([name, text]) => [`functions/src/${name}`, text])));

const SOUND = {
  'domain/member.ts': 'export const member = 1;\n',
  'portal/ports.ts': "import { member } from '../domain/member.ts';\nexport type Port = typeof member;\n",
  'portal/portal.ts': "import type { Port } from './ports.ts';\nexport const portal: Port = 1;\n",
  'adapters/store.ts': "import type { Port } from '../portal/ports.ts';\nexport const store: Port = 1;\n",
  'wiring/portal.ts':
    "import { store } from '../adapters/store.ts';\nexport const app = async () => (await import('../portal/portal.ts')).portal + store;\n",
};

const trespasses = (more: Readonly<Record<string, string>>): string[] =>
  trespassesOf(graphOf({ ...SOUND, ...more }), readRooms(PAGE));

describe('the table of rooms', () => {
  it('lets through what it allows', () => {
    expect(trespasses({})).toEqual([]);
  });

  it.each([
    ['a value', 'domain/up.ts', "import { portal } from '../portal/portal.ts';\nexport const up = portal;\n"],
    ['a type', 'domain/up.ts', "import type { Port } from '../portal/ports.ts';\nexport type Up = Port;\n"],
    ['what is re-exported', 'domain/up.ts', "export { portal } from '../portal/portal.ts';\n"],
    [
      'what is loaded when needed',
      'domain/up.ts',
      "export const up = () => import('../portal/portal.ts');\n",
    ],
    [
      'more of a feature than its port',
      'adapters/more.ts',
      "import { portal } from '../portal/portal.ts';\nexport const more = portal;\n",
    ],
  ])('refuses %s that it does not', (_what, file, text) => {
    expect(trespasses({ [file]: text })).toEqual([expect.stringContaining(`${file} imports`)]);
  });

  it('refuses a file that stands in no room, and a page without a table', () => {
    expect(trespasses({ 'attic/old.ts': 'export const old = 1;\n' })).toEqual([
      expect.stringContaining('attic/old.ts stands in no room'),
    ]);
    expect(() => readRooms('## Rooms\n')).toThrow('no table of rooms');
  });
});

describe('circles', () => {
  it('are found, also those of types', () => {
    const back = "import type { portal } from './portal.ts';\nexport type Port = typeof portal;\n";
    expect(circlesOf(graphOf(SOUND))).toEqual([]);
    expect(circlesOf(graphOf({ ...SOUND, 'portal/ports.ts': back }))).toHaveLength(1);
  });
});

describe('a way', () => {
  it('names files that are there, each of which an earlier one leads to', () => {
    expect(readWay(PAGE, 'A way', graphOf(SOUND))).toHaveLength(3);
    const { 'portal/ports.ts': _, ...without } = SOUND;
    expect(() => readWay(PAGE, 'A way', graphOf(without))).toThrow('which is not there');
    expect(() => readWay(PAGE.replace('`portal/portal.ts`', ''), 'A way', graphOf(SOUND))).toThrow(
      'nothing leads to',
    );
    expect(() => readWay(PAGE, 'Another way', graphOf(SOUND))).toThrow('has no way');
  });
});

describe('a name', () => {
  it.each([
    ['two values', 'export const port = 1;', 'export const port = 2;', ['port']],
    ['a type and a value', 'export interface Port {}', 'export class Port {}', ['Port']],
    [
      'what is taken apart',
      'export const { port, to: [gate = 1] } = a;',
      'export function gate() {}',
      ['gate'],
    ],
    ['what is exported afterwards', 'const a = 1;\nexport { a as port };', 'export type port = 1;', ['port']],
    [
      'what is handed on',
      'export const port = 1;',
      "export { port } from './one.ts';\nexport * from './one.ts';",
      [],
    ],
    [
      'what is imported first',
      'export const port = 1;',
      "import { port } from './one.ts';\nexport { port };",
      [],
    ],
    ["what is nobody else's", 'const port = 1;\nexport default port;', 'export const port = 1;', []],
  ])('is found where it stands for two things: %s', (_what, one, two, names) => {
    const found = twiceExportedIn(graphOf({ 'one.ts': one, 'two.ts': two }), 'functions/src');
    expect(found).toEqual(names.map((name) => `${name}: functions/src/one.ts, functions/src/two.ts`));
  });
});

describe('a hook that is registered while a module loads', () => {
  const hooksOf = (file: string, text: string) =>
    hooksOutsideTests(
      graphOf({ [file]: `import { afterAll, afterEach as later, describe } from 'vitest';\n${text}` }),
    );

  it.each([
    ['by itself', 'afterAll(() => undefined);', 'afterAll'],
    ['under another name', 'later(() => undefined);', 'afterEach'],
    ['in a group', "describe('a group', () => {\n  afterAll(() => undefined);\n});", 'afterAll'],
    ['in a condition', 'if (process.env.CI) afterAll(() => undefined);', 'afterAll'],
    ['in a function that is called at once', '(() => afterAll(() => undefined))();', 'afterAll'],
  ])('is found in a support module: %s', (_how, text, hook) => {
    expect(hooksOf('support.ts', text)).toEqual([`functions/src/support.ts registers ${hook}`]);
  });

  it.each([
    [
      'in a function that the test calls',
      'support.ts',
      'export const open = () => void afterAll(() => undefined);',
    ],
    [
      'in a suite for several stores',
      'contract.ts',
      "export function suite() {\n  describe('a', () => afterAll(() => undefined));\n}",
    ],
    ['in the test file', 'one.test.ts', 'afterAll(() => undefined);'],
    ['of another library', 'support.ts', "import { beforeAll } from './other.ts';\nbeforeAll();"],
  ])('is let through %s', (_where, file, text) => {
    expect(hooksOf(file, text)).toEqual([]);
  });
});

describe('a small file with one importer', () => {
  it('is counted, unless it is a port', () => {
    const found = corridorsOf(graphOf(SOUND), 'functions/src');
    expect(found).toContain('functions/src/adapters/store.ts');
    expect(found).not.toContain('functions/src/portal/ports.ts');
  });

  it('is measured as every other', () => {
    expect(measure(graphOf(SOUND), 'functions/src')).toEqual({ files: 5, lines: 9, median: 2, longest: 2 });
  });
});
