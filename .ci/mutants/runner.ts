import { appendFileSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { TestRunner, vi } from 'vitest';
import { type Finding, type Job, type Reach, readFindings } from './job.ts';

/**
 * Runs every mutant inside one process that keeps the tests loaded. Vitest hands the worker a list of files and runs one after
 * another: this runner first lets each run as it is and notes which mutants each test reaches, and then puts onto the same list, for
 * each mutant, the files and tests that reach it, until one of them fails.
 */
type File = Parameters<NonNullable<TestRunner['onCollectStart']>>[0];
type Suite = Parameters<TestRunner['onBeforeRunSuite']>[0];
type Test = Parameters<NonNullable<TestRunner['onBeforeRunTask']>>[0];
interface Specification {
  readonly filepath: string;
  readonly testIds?: readonly string[] | undefined;
}
type Step =
  | { readonly kind: 'baseline' }
  | { readonly kind: 'mutant'; readonly id: string; readonly reach: Reach; readonly rest: readonly Reach[] }
  | { readonly kind: 'check' };

/** Mutants between two runs of the tests as they are. */
const CHECK_EVERY = 250;
/** How many times as often as without the mutant an expression is reached before it counts as an endless loop. */
const HIT_FACTOR = 20;
/** How long one property may try values on one mutant. */
const PROPERTY_MS = 500;
const HANGS_AFTER_MS = 15_000;

interface Instrumentation {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?:
    | { static: Record<string, number>; perTest: Record<string, Record<string, number>> }
    | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}
const instrumentation: Instrumentation = {};
(globalThis as Record<string, unknown>)['__stryker__'] = instrumentation;

export default class MutantRunner extends TestRunner {
  readonly #job: Job = JSON.parse(readFileSync(process.env['MUTANTS_JOB'] ?? '', 'utf8'));
  readonly #reach = new Map<string, Extract<Finding, { kind: 'reach' }>>();
  readonly #specifications: Specification[];
  readonly #steps: Step[];
  readonly #waiting: string[];
  /** Files that failed without a mutant once they had run with some: whatever else they say is worth nothing either. */
  readonly #leftOut = new Set<string>();
  #place = -1;
  #startedAt = 0;
  /** Nothing more of the file has to run. */
  #isOver = false;
  /** What ended since the last check, and what the check under way is about. */
  #unchecked: string[] = [];
  #checking: string[] = [];
  #ran = new Set<string>();
  readonly #testTimeout: number;

  constructor(config: ConstructorParameters<typeof TestRunner>[0]) {
    super(config);
    this.#testTimeout = config.testTimeout;
    const worker = (globalThis as Record<string, unknown>)['__vitest_worker__'] as {
      ctx: { files: Specification[] };
    };
    this.#specifications = worker.ctx.files;
    // The first one loads the packages too, which stay: it is measured when its turn comes once more.
    this.#specifications.push(...this.#specifications.slice(0, 1));
    this.#steps = this.#specifications.map(() => ({ kind: 'baseline' }));
    const decided = new Set<string>();
    for (const finding of readFindings(this.#job.findings)) {
      if (finding.kind === 'reach') this.#reach.set(finding.file, finding);
      if (finding.kind === 'ended') decided.add(finding.id);
      if (finding.kind === 'doubted') {
        for (const id of finding.ids) decided.delete(id);
        this.#leftOut.add(finding.file);
      }
    }
    this.#waiting = this.#job.mutants.map(({ id }) => id).filter((id) => !decided.has(id));
    // The same random values for each mutant; a failure is enough, and no search for the smallest; and not all histories.
    fc.configureGlobal({ seed: 17, endOnFailure: true, interruptAfterTimeLimit: PROPERTY_MS });
  }

  get #step(): Step {
    return this.#steps[this.#place] ?? { kind: 'check' };
  }

  onBeforeCollect(): void {
    this.#place += 1;
    this.#isOver = false;
    this.config.testTimeout = this.#testTimeout;
    const step = this.#step;
    const file = this.#specifications[this.#place]?.filepath ?? '';
    instrumentation.activeMutant = undefined;
    instrumentation.currentTestId = undefined;
    instrumentation.hitCount = undefined;
    // So that no module remembers a mutant of before: a cache that it filled, or generated numbers that were used up.
    vi.resetModules();
    if (step.kind === 'baseline') {
      // What an earlier process has found about the file holds still.
      if (this.#reach.has(file)) this.#isOver = true;
      instrumentation.mutantCoverage = { static: {}, perTest: {} };
    } else {
      this.#ran.add(file);
      if (step.kind === 'mutant') {
        instrumentation.activeMutant = step.id;
        instrumentation.hitCount = 0;
        instrumentation.hitLimit = 1_000 + HIT_FACTOR * step.reach.hits;
        const limitMs = HANGS_AFTER_MS + 10 * step.reach.ms;
        this.#note({ kind: 'begun', id: step.id, limitMs });
        this.config.testTimeout = HANGS_AFTER_MS / 2 + 5 * (this.#reach.get(file)?.longest ?? 0);
      }
    }
    this.#startedAt = performance.now();
  }

  override async onBeforeRunSuite(suite: Suite): Promise<void> {
    if (this.#isOver) suite.mode = 'skip';
    await super.onBeforeRunSuite(suite);
  }

  override async onBeforeRunTask(test: Test): Promise<void> {
    if (this.#isOver) test.mode = 'skip';
    await super.onBeforeRunTask(test);
  }

  override onBeforeTryTask(test: Test, options: never): void {
    if (this.#step.kind === 'baseline') instrumentation.currentTestId = test.id;
    super.onBeforeTryTask(test, options);
  }

  override onAfterRunTask(test: Test): void {
    instrumentation.currentTestId = undefined;
    if (this.#step.kind === 'mutant' && test.result?.state === 'fail') this.#isOver = true;
    super.onAfterRunTask(test);
  }

  override onAfterRunFiles(files: File[]): void {
    super.onAfterRunFiles(files);
    const step = this.#step;
    instrumentation.activeMutant = undefined;
    const [file] = files;
    if (file === undefined) throw new Error('vitest ran no file');
    const failure = failureOf(file);
    if (step.kind === 'baseline') {
      if (!this.#reach.has(file.filepath)) {
        if (failure !== undefined) this.#note({ kind: 'broken', file: file.filepath, why: failure });
        if (this.#place > 0) this.#noteReach(file);
      }
    } else if (step.kind === 'check') {
      if (failure !== undefined) {
        this.#note({ kind: 'doubted', ids: this.#checking, file: file.filepath });
        process.kill(process.pid, 'SIGKILL');
      }
    } else if (failure !== undefined) {
      this.#end({ kind: 'ended', id: step.id, outcome: 'killed', by: failure });
    } else {
      const [next, ...rest] = step.rest;
      if (next === undefined) this.#end({ kind: 'ended', id: step.id, outcome: 'survived' });
      else this.#add(next, { kind: 'mutant', id: step.id, reach: next, rest });
    }
    if (this.#place === this.#steps.length - 1) this.#next();
  }

  /** Puts the next mutant that a test reaches onto the list, or the check of what ran since the last one. */
  #next(): void {
    if (this.#unchecked.length >= CHECK_EVERY || (this.#waiting.length === 0 && this.#unchecked.length > 0)) {
      for (const file of this.#ran) this.#add({ file, tests: 'all', ms: 0, hits: 0 }, { kind: 'check' });
      this.#ran = new Set();
      this.#checking = this.#unchecked;
      this.#unchecked = [];
      if (this.#steps.length - 1 > this.#place) return;
    }
    for (;;) {
      const id = this.#waiting.shift();
      if (id === undefined) return;
      const [reach, ...rest] = this.#reachOf(id);
      if (reach === undefined) {
        this.#note({ kind: 'ended', id, outcome: 'not reached' });
        continue;
      }
      this.#add(reach, { kind: 'mutant', id, reach, rest });
      return;
    }
  }

  #add({ file, tests }: Reach, step: Step): void {
    const original = this.#specifications.find(({ filepath }) => filepath === file);
    this.#specifications.push({ ...original, filepath: file, testIds: tests === 'all' ? undefined : tests });
    this.#steps.push(step);
  }

  /** The folder's own tests first, and of them the quickest files: most mutants are killed by the first. */
  #reachOf(id: string): Reach[] {
    const reaches: Reach[] = [];
    for (const { file, ms, whole, tests } of this.#reach.values()) {
      if (this.#leftOut.has(file)) continue;
      const reaching = Object.entries(tests).filter(([, { reached }]) => reached[id] !== undefined);
      const hits = reaching.reduce((sum, [, { reached }]) => sum + (reached[id] ?? 0), whole[id] ?? 0);
      if (whole[id] !== undefined) reaches.push({ file, tests: 'all', ms, hits });
      else if (reaching.length > 0) {
        const ofTests = reaching.reduce((sum, [, test]) => sum + test.ms, 0);
        reaches.push({ file, tests: reaching.map(([test]) => test), ms: ofTests, hits });
      }
    }
    const isOthers = ({ file }: Reach): number => Number(!file.startsWith(this.#job.own));
    reaches.sort((one, other) => isOthers(one) - isOthers(other) || one.ms - other.ms);
    // The file that goes beyond what the job allows is not run, unless it is the first.
    let together = 0;
    return reaches.filter(({ ms }, place) => {
      together += ms;
      return place === 0 || together <= this.#job.testsMs;
    });
  }

  #noteReach(file: File): void {
    const { static: whole, perTest } = instrumentation.mutantCoverage ?? { static: {}, perTest: {} };
    const tests: Record<string, { ms: number; reached: Record<string, number> }> = {};
    let longest = 0;
    for (const test of testsOf(file)) {
      const ms = test.result?.duration ?? 0;
      longest = Math.max(longest, ms);
      const reached = perTest[test.id];
      if (reached !== undefined) tests[test.id] = { ms, reached };
    }
    const ms = performance.now() - this.#startedAt;
    const finding = { kind: 'reach', file: file.filepath, ms, longest, whole, tests } as const;
    this.#reach.set(file.filepath, finding);
    this.#note(finding);
  }

  #end(finding: Extract<Finding, { kind: 'ended' }>): void {
    this.#unchecked.push(finding.id);
    this.#note(finding);
  }

  #note(finding: Finding): void {
    appendFileSync(this.#job.findings, `${JSON.stringify(finding)}\n`);
  }
}

type Task = File | File['tasks'][number];

const testsOf = (task: Task): Test[] =>
  task.type === 'test' ? [task as Test] : (task as File).tasks.flatMap((child) => testsOf(child));

/** The first test, hook or file that failed, with its first error. */
const failureOf = (task: Task): string | undefined => {
  if (task.type !== 'test') {
    for (const child of (task as File).tasks) {
      const found = failureOf(child);
      if (found !== undefined) return found;
    }
  }
  if (task.result?.state !== 'fail') return undefined;
  return `${task.name}: ${task.result.errors?.[0]?.message ?? 'failed'}`.slice(0, 300);
};
