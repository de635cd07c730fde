import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { circlesOf, type Graph, importersOf, readGraph } from './house-graph.ts';

/**
 * How large the rooms are, which imports make circles or go where they may not, and how many files a reader opens to
 * follow one thing. `npm run house` prints it; with `--check`, as in `npm run check`, it prints what breaks a rule and fails.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ARCHITECTURE = 'docs/architecture.md';
const WORKSPACES = ['functions/src', 'local/src', 'ops/src', 'dashboard/src', 'bench'] as const;
const SRC = 'functions/src/';

/** What is aimed at. All of it is a rule, as are circles, the table of rooms and the names. */
const TARGETS = { files: 170, medianLines: 90, longestFile: 400, corridors: 12, localLines: 7_000 } as const;
/** Files that a reader opens at most, by the title of the way in docs/architecture.md. */
const WAYS: Readonly<Record<string, number>> = {
  'The weekly run': 28,
  'A webhook': 25,
  "A member's edit": 25,
  'The hourly run': 25,
};
const CORRIDOR_LINES = 60;
/** Small on purpose: interfaces and contracts, and what the deployment names. */
const MAY_BE_SMALL = /(ports|logs)\.ts$|\/index\.ts$|\/triggers\//;

export interface Workspace {
  readonly files: number;
  readonly lines: number;
  readonly median: number;
  readonly longest: number;
}

export const measure = ({ lines }: Graph, folder: string): Workspace => {
  const sizes = [...lines].filter(([file]) => isIn(file, folder)).map(([, size]) => size);
  sizes.sort((one, other) => one - other);
  return {
    files: sizes.length,
    lines: sizes.reduce((sum, size) => sum + size, 0),
    median: sizes[Math.floor(sizes.length / 2)] ?? 0,
    longest: sizes.at(-1) ?? 0,
  };
};

/** Files that are too small to be a room and have one door: they belong into the file that imports them. */
export const corridorsOf = (graph: Graph, folder: string): string[] =>
  [...importersOf(graph)]
    .filter(([file, importers]) => {
      const inside = importers.filter((importer) => isIn(importer, folder));
      const size = graph.lines.get(file) ?? 0;
      return isIn(file, folder) && inside.length === 1 && size < CORRIDOR_LINES && !MAY_BE_SMALL.test(file);
    })
    .map(([file]) => file);

/**
 * The rows of the table under "Rooms": what each folder or file of functions/src may import. Whoever may import a folder may
 * import what stands in it, but the adapters, for instance, are allowed a feature's `ports.ts` alone.
 */
export const readRooms = (page: string): Map<string, string[]> => {
  const rooms = new Map<string, string[]>();
  for (const line of sectionOf(page, '## Rooms').split('\n')) {
    const [, names = '', , allowed = ''] = line.split('|');
    for (const name of quoted(names)) rooms.set(name, quoted(allowed));
  }
  if (rooms.size === 0) throw new Error(`${ARCHITECTURE} has no table of rooms under "## Rooms".`);
  return rooms;
};

/** Imports from one room into another that the table does not allow, and files that stand in no room. */
export const trespassesOf = ({ imports }: Graph, rooms: ReadonlyMap<string, readonly string[]>): string[] => {
  const roomOf = (file: string): string | undefined =>
    [...rooms.keys()]
      .filter((room) => isIn(file, SRC + room))
      .sort((one, other) => other.length - one.length)[0];
  const found: string[] = [];
  for (const [file, targets] of imports) {
    if (!file.startsWith(SRC)) continue;
    const room = roomOf(file);
    if (room === undefined) found.push(`${file} stands in no room of ${ARCHITECTURE}`);
    const allowed = room === undefined ? ['*'] : [room, ...(rooms.get(room) ?? [])];
    for (const target of targets) {
      const isAllowed = allowed.some((name) => name === '*' || isIn(target, SRC + name));
      if (!isAllowed) found.push(`${file} imports ${target}`);
    }
  }
  return found;
};

/** Names that two files of the room declare and export, each as something of its own: who reads one of them has to know whose. */
export const twiceExportedIn = ({ exports }: Graph, folder: string): string[] => {
  const places = new Map<string, string[]>();
  for (const [file, names] of exports) {
    if (!isIn(file, folder)) continue;
    for (const name of names) places.set(name, [...(places.get(name) ?? []), file]);
  }
  return [...places]
    .filter(([, files]) => files.length > 1)
    .map(([name, files]) => `${name}: ${files.join(', ')}`);
};

/** Files that every test file loads afresh, by vitest's own promise (`setupFiles`). */
const SETUP = 'functions/test/support/skip-without-official.ts';

/**
 * Modules beside the tests that register a hook while they load. Files of one process share a module: its hook would be that of
 * the file that loads it first, and the others would go without. The test file calls for it, or a function that it calls.
 */
export const hooksOutsideTests = ({ hooks }: Graph): string[] =>
  [...hooks].flatMap(([file, names]) =>
    /\.test\.tsx?$/.test(file) || file === SETUP ? [] : names.map((name) => `${file} registers ${name}`),
  );

/** The files that the way `title` names, in order. Throws where one is missing or no earlier one leads to it. */
export const readWay = (page: string, title: string, graph: Graph): string[] => {
  const files = [
    ...new Set(quoted(sectionOf(page, `### ${title}`)).filter((name) => name.endsWith('.ts'))),
  ].map((name) => SRC + name);
  if (files.length === 0) throw new Error(`${ARCHITECTURE} has no way "### ${title}".`);
  files.forEach((file, place) => {
    if (!graph.lines.has(file)) throw new Error(`The way "${title}" names ${file}, which is not there.`);
    const leads = files.slice(0, place).some((earlier) => touches(graph, earlier, file));
    if (place > 0 && !leads) throw new Error(`On the way "${title}" nothing leads to ${file}.`);
  });
  return files;
};

const touches = ({ imports }: Graph, one: string, other: string): boolean =>
  imports.get(one)?.has(other) === true || imports.get(other)?.has(one) === true;

const isIn = (file: string, folder: string): boolean =>
  file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.replace(/\/$/, ''));

/** A heading's text, until the next heading of its rank or a higher one. */
const sectionOf = (page: string, heading: string): string => {
  const start = page.indexOf(`${heading}\n`);
  if (start < 0) return '';
  const rank = heading.indexOf(' ');
  const body = page.slice(start + heading.length);
  const next = body.search(new RegExp(`^#{1,${rank}} `, 'm'));
  return next < 0 ? body : body.slice(0, next);
};

const main = (isCheck: boolean): void => {
  const graph = readGraph(ROOT);
  const page = readFileSync(`${ROOT}${ARCHITECTURE}`, 'utf8');
  const faults: string[] = [];
  const say = (line: string): void => {
    if (!isCheck) console.log(line);
  };
  const aim = (what: string, value: number, target: number, isEnough = value <= target): boolean => {
    say(`  ${isEnough ? ' ' : '!'} ${what.padEnd(34)} ${String(value).padStart(6)}   target ${target}`);
    return isEnough;
  };
  const rule = (what: string, value: number, limit: number, isEnough = value <= limit): void => {
    if (!aim(what, value, limit, isEnough)) faults.push(`${what}: ${value}, where ${limit} is the limit`);
  };
  say('workspace            files   lines  median  longest');
  for (const folder of WORKSPACES) {
    const { files, lines, median, longest } = measure(graph, folder);
    const cells = [files, lines, median, longest].map((cell, place) =>
      String(cell).padStart(place === 0 ? 6 : 8),
    );
    say(`${folder.padEnd(20)}${cells.join('')}`);
  }
  const src = measure(graph, 'functions/src');
  const corridors = corridorsOf(graph, 'functions/src');
  say('\nfunctions/src');
  rule('files', src.files, TARGETS.files);
  rule('median lines', src.median, TARGETS.medianLines, src.median >= TARGETS.medianLines);
  rule('longest file', src.longest, TARGETS.longestFile);
  rule('files under 60 lines, one importer', corridors.length, TARGETS.corridors);
  rule('lines of local/src', measure(graph, 'local/src').lines, TARGETS.localLines);
  for (const [title, target] of Object.entries(WAYS)) {
    try {
      rule(`way: ${title}`, readWay(page, title, graph).length, target);
    } catch (cause) {
      faults.push(String(cause));
    }
  }
  faults.push(...circlesOf(graph).map((circle) => `circle: ${circle.join(' ⇄ ')}`));
  faults.push(...trespassesOf(graph, readRooms(page)).map((trespass) => `not allowed: ${trespass}`));
  faults.push(...twiceExportedIn(graph, 'functions/src').map((name) => `one name for two things: ${name}`));
  faults.push(...hooksOutsideTests(graph).map((hook) => `a hook of whichever file loads it first: ${hook}`));
  if (process.argv.includes('--list')) for (const file of corridors) say(`  small, one importer: ${file}`);
  for (const fault of faults) console.error(`! ${fault}`);
  if (isCheck && faults.length > 0) process.exitCode = 1;
};

if (import.meta.main) main(process.argv.includes('--check'));
