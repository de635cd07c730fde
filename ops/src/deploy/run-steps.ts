import type { Shell } from './shell.ts';

/** What one step came to. `notes` are for the person who watches. */
export interface StepOutcome {
  readonly state: 'done' | 'checked' | 'unchanged' | 'skipped';
  readonly notes?: readonly string[];
}

/**
 * A part of a deployment. Each may be repeated: what is as it should be is left alone. A step that throws stops those
 * behind it, since they build on it.
 */
export interface Step {
  readonly name: string;
  /** What to do when it fails, and what state things are in then. */
  readonly remedy: string;
  run(): Promise<StepOutcome>;
}

/** Runs the steps in their order. Returns whether all went well. */
export const runSteps = async (
  steps: readonly Step[],
  { shell, say }: { readonly shell: Pick<Shell, 'dryRun'>; readonly say: (line: string) => void },
): Promise<boolean> => {
  for (const [index, step] of steps.entries()) {
    say(`${String(index + 1).padStart(2)}/${steps.length} ${step.name}`);
    try {
      const { state, notes = [] } = await step.run();
      for (const note of notes) say(`    ${note}`);
      say(`    ${shell.dryRun && state === 'done' ? 'would be done' : state}`);
    } catch (cause) {
      sayFailure(step, steps.slice(index + 1), cause, say);
      return false;
    }
  }
  return true;
};

const sayFailure = (step: Step, rest: readonly Step[], cause: unknown, say: (line: string) => void): void => {
  say(`    FAILED: ${cause instanceof Error ? cause.message : String(cause)}`);
  say('');
  say(`Stopped at "${step.name}". ${step.remedy}`);
  if (rest.length > 0) say(`Not done: ${rest.map(({ name }) => name).join(', ')}.`);
  say('Give the same command again afterwards: what is done already is left alone.');
};
