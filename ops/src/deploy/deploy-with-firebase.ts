import type { DeployContext } from './context.ts';

/** The version that the rehearsal drives: what is written about `firebase deploy` here was seen of this one. */
export const FIREBASE_TOOLS = 'firebase-tools@15.34.2';

/**
 * `firebase deploy --only …`. It may ask a person at a terminal; elsewhere it is told not to, and then refuses what it
 * would have asked about (deleting a function, switching retries on) unless `--force` is given.
 */
export const deployWithFirebase = (
  { options, shell }: Pick<DeployContext, 'options' | 'shell'>,
  only: string,
  flags: readonly string[] = [],
): Promise<void> =>
  shell.change('firebase', [
    'deploy',
    '--only',
    only,
    '--project',
    options.project,
    ...flags,
    ...(process.stdin.isTTY ? [] : ['--non-interactive']),
  ]);
