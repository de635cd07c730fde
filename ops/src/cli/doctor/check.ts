import type { Api } from '../api.ts';
import type { Gcloud } from '../gcloud.ts';
import type { Deployment } from './deployment.ts';

/** What a check found. `unknown`: it could not look, which is never the same as well. */
export type Finding =
  | { readonly state: 'ok'; readonly text: string }
  | { readonly state: 'bad' | 'unknown'; readonly text: string; readonly remedy: string };

interface AnyContext {
  readonly gcloud: Gcloud;
  /** A command of this tool for the same target. */
  readonly commandLine: (command: string) => string;
  readonly now: Date;
}

/** For what answers over HTTP, which is all that can be looked at on the local stack. */
export interface DoctorContext extends AnyContext {
  readonly api: Api;
  readonly webhookUrl: () => Promise<string>;
  /** Null on the local stack. */
  readonly project: string | null;
}

export interface ProjectContext extends AnyContext {
  readonly deployment: Deployment;
}

export type Check<Context> = (context: Context) => Promise<readonly Finding[]>;

/** One finding, with the name of its check. */
export type NamedFinding = { readonly check: string } & Finding;

/**
 * Runs all checks beside each other. A check that fails to look is `unknown` with what it said, and stops no other.
 * In the order of `checks`.
 */
export const runChecks = async <Context>(
  checks: Readonly<Record<string, Check<Context>>>,
  context: Context,
): Promise<NamedFinding[]> => {
  const found = await Promise.all(
    Object.entries(checks).map(async ([check, look]): Promise<NamedFinding[]> => {
      try {
        return (await look(context)).map((finding) => ({ check, ...finding }));
      } catch (cause) {
        const text = cause instanceof Error ? cause.message : String(cause);
        return [{ check, state: 'unknown', text, remedy: 'mend that, and look again' }];
      }
    }),
  );
  return found.flat();
};

export const ok = (text: string): Finding => ({ state: 'ok', text });
export const bad = (text: string, remedy: string): Finding => ({ state: 'bad', text, remedy });
export const unknown = (text: string, remedy: string): Finding => ({ state: 'unknown', text, remedy });

/** The faults, or that there are none. */
export const faultsOr = (faults: readonly Finding[], well: string): readonly Finding[] =>
  faults.length === 0 ? [ok(well)] : faults;
