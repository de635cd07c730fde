import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mutant } from '@stryker-mutator/api/core';
import { Instrumenter, type InstrumentResult } from '@stryker-mutator/instrumenter';
import { type Equivalents, readEquivalents } from './equivalents.ts';
import { type Finding, type Job, type Outcome, readFindings } from './job.ts';
import { hashOfFiles, nameOf, offsetOf, refusedByCompiler } from './types.ts';

/**
 * Mutation testing: Stryker's mutants of one folder after another, against the tests that reach them. Prints each mutant that
 * survives, and the score of each folder; fails below 90% or where a named equivalent is none.
 *
 *   npm run test:mutants -- domain mirror
 *   npm run test:mutants -- domain --alive     once more, with only those that nothing has killed so far
 *   npm run test:mutants -- portal --sample 300 --seed 2     of 300 by chance: the score is an estimate
 *   npm run test:mutants -- portal --seconds 5     asks only the quickest tests about each: the score is at least that
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const KEPT = join(ROOT, '.local/mutants');
const REQUIRED_SCORE = 90;
/** What loading the tests, or running them as they are, may take without a word. */
const SILENCE_MS = 300_000;
/** What must stand still while mutants are asked: tests are loaded again and again. */
const TREE = ['functions/src/**', 'functions/test/**'].map((glob) => `${glob}/*.{ts,json}`);
const TREE_LOOKED_AT_MS = 10_000;

/** The tests of each folder of functions/src: its own, and those that go through it without much around it. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain', 'contract-vectors', 'roster/holds-number.test.ts'],
  mirror: ['mirror', 'roster', 'contract/run-store.test.ts'],
  roster: ['roster', 'ops/rollback.test.ts'],
  register: ['register'],
  twoway: ['twoway'],
  portal: ['portal'],
};
/** Worlds of many steps and suites of whole servers: they find much, and say little about which line is to blame. */
const EXCLUDED = ['**/*.{long,postgres}.test.ts', '**/*-over-{http,firestore}.test.ts'];

interface Result {
  readonly mutant: Mutant;
  readonly outcome: Outcome | 'equivalent';
}
interface Asked {
  /** Only those that the run before did not kill. */
  readonly alive: boolean;
  /** How many, chosen by chance; all of them where it is missing. */
  readonly sample: number | undefined;
  readonly seed: string;
  /** What the tests asked about one mutant may take together. */
  readonly seconds: number;
}

const main = async (args: string[]): Promise<void> => {
  const { positionals: names, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      alive: { type: 'boolean', default: false },
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '15' },
    },
  });
  const sample = values.sample === undefined ? undefined : Number(values.sample);
  const seconds = Number(values.seconds);
  for (const [flag, number] of Object.entries({ sample, seconds }))
    if (number !== undefined && !(Number.isInteger(number) && number > 0))
      throw new Error(`--${flag} needs a whole number above 0.`);
  const unknown = names.filter((name) => FOLDERS[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`No such folder: ${unknown.join(', ')}. There are ${Object.keys(FOLDERS).join(', ')}.`);
  const equivalents = readEquivalents();
  const lines: string[] = [];
  for (const name of names.length > 0 ? names : Object.keys(FOLDERS)) {
    const { results, part } = await testFolder(name, equivalents, {
      ...values,
      sample,
      seconds,
    });
    const { line, isEnough } = summarise(name, results, part);
    lines.push(line);
    if (!isEnough) process.exitCode = 1;
    // What a sample leaves out may be named.
    if (part < 1) continue;
    const stale = equivalents.unmatched(`functions/src/${name}/`);
    for (const entry of stale) console.error(`! equivalent.json names what is no survivor: ${entry}`);
    if (stale.length > 0) process.exitCode = 1;
  }
  console.log(
    [
      '',
      '| folder | mutants | killed | survived | equivalent | score |',
      '|---|---|---|---|---|---|',
      ...lines,
    ].join('\n'),
  );
};

const testFolder = async (
  name: string,
  equivalents: Equivalents,
  { alive, sample, seed, seconds }: Asked,
): Promise<{ results: Result[]; part: number }> => {
  const folder = `functions/src/${name}`;
  const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT }).sort();
  const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
  const textOf = (file: string): string => texts.get(file) ?? '';
  const { sources, mutants } = await instrument(texts);
  mkdirSync(KEPT, { recursive: true });
  const chosen = sample === undefined ? mutants : sampleOf(mutants, sample, seed);
  if (chosen.length < mutants.length)
    console.log(`${folder}: ${chosen.length} of ${mutants.length} mutants, by seed ${seed}`);
  const refused = refusedByCompiler(ROOT, chosen, textOf);
  const asked = chosen.filter(({ id }) => !refused.has(id));
  console.log(
    `${folder}: ${asked.length} mutants in ${files.length} files, and ${refused.size} that do not compile`,
  );

  const findings = join(KEPT, `${name}.findings`);
  const jobPath = join(KEPT, `${name}.job`);
  const killed = alive ? killedBefore(jobPath, findings, mutants, texts) : [];
  rmSync(findings, { force: true });
  for (const finding of killed) note(findings, finding);
  const tests = (FOLDERS[name] ?? []).map(
    (test) => `functions/test/${test.endsWith('.ts') ? test : `${test}/**/*.test.ts`}`,
  );
  const job: Job = {
    root: ROOT,
    tests,
    exclude: EXCLUDED,
    own: join(ROOT, 'functions/test', name),
    sources,
    mutants: asked,
    texts: Object.fromEntries(texts),
    testsMs: seconds * 1_000,
    findings,
  };
  writeFileSync(jobPath, JSON.stringify(job));
  const outcomes = await runTests(jobPath, job);

  const results = asked.map((mutant): Result => {
    const outcome = outcomes.get(mutant.id) ?? 'not reached';
    const isNamed = isAlive(outcome) && equivalents.names(mutant, textOf(mutant.fileName));
    return { mutant, outcome: isNamed ? 'equivalent' : outcome };
  });
  for (const { mutant, outcome } of results)
    if (isAlive(outcome)) console.log(describe(mutant, outcome, textOf(mutant.fileName)));
  return { results, part: chosen.length / mutants.length };
};

/** The same ones for the same seed, in the same order: a part of a sample is a smaller one. */
const sampleOf = (mutants: readonly Mutant[], size: number, seed: string): readonly Mutant[] => {
  const lot = ({ id }: Mutant): string => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  return mutants
    .map((mutant) => ({ mutant, lot: lot(mutant) }))
    .sort((one, other) => (one.lot < other.lot ? -1 : 1))
    .slice(0, size)
    .map(({ mutant }) => mutant);
};

/** What the run before has killed already, in files that are as they were: tests that were added since do not bring it back. */
const killedBefore = (
  jobPath: string,
  findings: string,
  mutants: readonly Mutant[],
  texts: ReadonlyMap<string, string>,
): Finding[] => {
  if (!existsSync(jobPath)) return [];
  const before: Job = JSON.parse(readFileSync(jobPath, 'utf8'));
  const outcomes = outcomesOf(readFindings(findings));
  const killed = new Set(
    before.mutants
      .filter(
        ({ id, fileName }) => isKilled(outcomes.get(id)) && before.texts?.[fileName] === texts.get(fileName),
      )
      .map(nameOf),
  );
  return mutants
    .filter((mutant) => killed.has(nameOf(mutant)))
    .map(({ id }) => ({ kind: 'ended', id, outcome: 'killed' }));
};

const note = (findings: string, finding: Finding): void =>
  appendFileSync(findings, `${JSON.stringify(finding)}\n`);

const isKilled = (outcome: Outcome | undefined): boolean => outcome === 'killed' || outcome === 'hung';

const isAlive = (outcome: Result['outcome'] | undefined): boolean =>
  outcome === 'survived' || outcome === 'not reached';

/** The sources with every mutant behind a switch, as Stryker makes them. */
const instrument = async (
  texts: ReadonlyMap<string, string>,
): Promise<{ sources: Record<string, string>; mutants: readonly Mutant[] }> => {
  const silent = Object.fromEntries(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'].flatMap((level) => [
      [level, (): void => {}],
      [`is${level.charAt(0).toUpperCase()}${level.slice(1)}Enabled`, (): boolean => false],
    ]),
  );
  const instrumenter = new Instrumenter(silent as never);
  const { files, mutants }: InstrumentResult = await instrumenter.instrument(
    [...texts].map(([name, content]) => ({ name, content, mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  );
  return {
    sources: Object.fromEntries(files.map(({ name, content }) => [join(ROOT, name), content])),
    // Those that a comment in the source excepts have a status already; the project has none of them.
    mutants,
  };
};

/** Runs the tests for all mutants; a process that hangs or is doubted is ended, and another goes on. */
const runTests = async (jobPath: string, job: Job): Promise<Map<string, Outcome>> => {
  const tree = hashOfFiles(ROOT, TREE);
  for (let starts = 0; ; starts += 1) {
    await runProcess(jobPath, job.findings, tree);
    if (hashOfFiles(ROOT, TREE) !== tree)
      throw new Error(
        'functions/src or functions/test was changed meanwhile: ask again, in a tree that stands still.',
      );
    const findings = readFindings(job.findings);
    const broken = findings.find(({ kind }) => kind === 'broken');
    if (broken?.kind === 'broken') throw new Error(`${broken.file} fails without a mutant: ${broken.why}`);
    const outcomes = outcomesOf(findings);
    if (job.mutants.every(({ id }) => outcomes.has(id))) return outcomes;
    const hanging = findings.findLast(
      ({ kind }) => kind === 'begun' || kind === 'ended' || kind === 'doubted',
    );
    if (hanging === undefined) throw new Error(`The tests did not start: ${job.tests.join(' ')}`);
    if (hanging.kind === 'doubted')
      console.log(`${hanging.file} cannot be run again and again: it is left out.`);
    if (hanging.kind === 'begun') {
      note(job.findings, { kind: 'ended', id: hanging.id, outcome: 'hung' });
    }
    if (starts > job.mutants.length) throw new Error('The tests do not come to an end.');
  }
};

const outcomesOf = (findings: readonly Finding[]): Map<string, Outcome> => {
  const outcomes = new Map<string, Outcome>();
  for (const finding of findings) {
    if (finding.kind === 'ended') outcomes.set(finding.id, finding.outcome);
    if (finding.kind === 'doubted') for (const id of finding.ids) outcomes.delete(id);
  }
  return outcomes;
};

/** One process of vitest and its worker, ended where `tree` changes; resolves when both are gone. */
const runProcess = (jobPath: string, findings: string, tree: string): Promise<void> => {
  const config = fileURLToPath(new URL('./vitest.config.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config],
    {
      cwd: ROOT,
      env: { ...process.env, MUTANTS_JOB: jobPath },
      stdio: ['ignore', 'ignore', 'inherit'],
      // A group of its own, so that the worker ends with it.
      detached: true,
    },
  );
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  process.once('exit', endGroup);
  const startedAt = Date.now();
  const watch = setInterval(() => {
    const changedAt = statSync(findings, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const last = changedAt > startedAt ? readFindings(findings).at(-1) : undefined;
    const limitMs = last?.kind === 'begun' ? last.limitMs : SILENCE_MS;
    if (Date.now() - Math.max(changedAt, startedAt) > limitMs) endGroup();
  }, 2_000);
  const watchTree = setInterval(() => {
    if (hashOfFiles(ROOT, TREE) !== tree) endGroup();
  }, TREE_LOOKED_AT_MS);
  return new Promise((resolve) => {
    child.once('close', () => {
      clearInterval(watch);
      clearInterval(watchTree);
      endGroup();
      process.off('exit', endGroup);
      resolve();
    });
  });
};

const describe = (
  { fileName, location, replacement, mutatorName }: Mutant,
  outcome: string,
  text: string,
): string => {
  const original = text.slice(offsetOf(text, location.start), offsetOf(text, location.end));
  return `${fileName}:${location.start.line + 1}:${location.start.column + 1} ${mutatorName}, ${outcome}\n  - ${short(original)}\n  + ${short(replacement)}`;
};

const short = (code: string): string => {
  const line = code.replace(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 160)} …` : line;
};

/** `part` is which share of the folder's mutants were asked. */
const summarise = (
  name: string,
  results: readonly Result[],
  part: number,
): { line: string; isEnough: boolean } => {
  const count = (...outcomes: Result['outcome'][]): number =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const killed = count('killed', 'hung');
  const survived = count('survived', 'not reached');
  const asked = killed + survived;
  const score = (100 * killed) / Math.max(1, asked);
  // Of 95% certainty, by the normal distribution, for a part of a finite number.
  const error = 1.96 * Math.sqrt(((score * (100 - score)) / Math.max(1, asked)) * (1 - part));
  const size = part < 1 ? `${asked} of about ${Math.round(asked / part)}` : asked;
  const shown = part < 1 ? `about ${score.toFixed(1)}% ± ${error.toFixed(1)}` : `${score.toFixed(1)}%`;
  return {
    line: `| ${name} | ${size} | ${killed} | ${survived} | ${count('equivalent')} | ${shown} |`,
    isEnough: score >= REQUIRED_SCORE,
  };
};

// So that no process with tests stays behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));
