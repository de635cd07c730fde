import { parseArgs } from 'node:util';
import { kindOf, type Played, play, type Step, stepsOf } from './history.ts';
import { MUTANTS } from './mutants.ts';
import type { Fault } from './system.ts';

/** `npm run world`: plays histories by their seeds; one that fails is shrunk and told in plain words. */

/** What is broken, whoever it is about. */
const kindOfViolation = ({ violations: [first = ''] }: Played): string =>
  first.replaceAll(/[0-9a-f_]*\d[0-9a-f_]*/g, '#');

/**
 * The fewest steps that still break the same promise: halves, quarters and so on are left out, down to single steps, until
 * none can be (delta debugging).
 */
export const shrink = async (
  seed: number,
  options: Fault = {},
): Promise<{ steps: Step[]; played: Played }> => {
  let steps = stepsOf(seed);
  let played = await play(seed, steps, options);
  const wanted = kindOfViolation(played);
  for (let size = Math.ceil(steps.length / 2); size >= 1; ) {
    let isShorter = false;
    for (let from = 0; from < steps.length; ) {
      const fewer = steps.toSpliced(from, size);
      const again = await play(seed, fewer, options);
      if (kindOfViolation(again) === wanted) [steps, played, isShorter] = [fewer, again, true];
      else from += size;
    }
    if (size === 1 && !isShorter) break;
    size = size > 1 ? Math.ceil(size / 2) : 1;
  }
  return { steps, played };
};

const tellOne = async (seed: number, options: Fault): Promise<boolean> => {
  const first = await play(seed, undefined, options);
  if (first.violations.length === 0) {
    console.log(
      `${first.story.join('\n')}\n\nSeed ${seed} keeps every promise, in ${stepsOf(seed).length} steps.`,
    );
    return true;
  }
  const { steps, played } = await shrink(seed, options);
  console.log(
    `Seed ${seed}, a registry ${kindOf(seed)}: ${steps.length} of ${stepsOf(seed).length} steps break a promise.\n`,
  );
  console.log(`${played.story.join('\n')}\n\n${played.violations.join('\n')}`);
  return false;
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      histories: { type: 'string', default: '300' },
      from: { type: 'string', default: '1' },
      minutes: { type: 'string', default: 'Infinity' },
      mutant: { type: 'string' },
    },
  });
  const options = MUTANTS.find(({ name }) => name === values.mutant) ?? {};
  if (values.seed !== undefined) {
    if (!(await tellOne(Number(values.seed), options))) process.exitCode = 1;
    return;
  }
  const [from, until] = [Number(values.from), performance.now() + Number(values.minutes) * 60_000];
  let histories = 0;
  const failing = new Map<string, number[]>();
  const sum = { steps: 0, calls: 0, messages: 0 };
  const startedAt = process.cpuUsage();
  // What is thrown as it should be is told by its code; the stacks would cost a twentieth of the time.
  Error.stackTraceLimit = 0;
  for (let seed = from; histories < Number(values.histories) && performance.now() < until; seed += 1) {
    histories += 1;
    const played = await play(seed, undefined, options);
    sum.steps += stepsOf(seed).length;
    sum.calls += played.counts.calls;
    sum.messages += played.counts.events;
    const kind = kindOfViolation(played);
    if (kind !== '') failing.set(kind, [...(failing.get(kind) ?? []), seed]);
  }
  const { user, system } = process.cpuUsage(startedAt);
  const seconds = Math.round((user + system) / 1e6);
  for (const [kind, seeds] of failing)
    console.log(`${seeds.length} × ${kind}\n    seeds ${seeds.slice(0, 10).join(', ')}`);
  console.log(
    `${histories} histories from seed ${from}: ${sum.steps} steps, ${sum.calls} calls, ${sum.messages} messages, ${seconds} s of processor.`,
  );
  if (failing.size > 0) process.exitCode = 1;
};

if (import.meta.main) await main();
