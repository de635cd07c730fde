import { execFile } from 'node:child_process';
import type { z } from 'zod';
import { OpsError } from './ops-error.ts';
import { printableIn } from './text.ts';

/** Runs `gcloud` with these arguments and gives what it wrote. Throws OpsError. */
export type Gcloud = (args: readonly string[]) => Promise<string>;

/** What there is to do when gcloud has no credentials, or they have ended. */
export const SIGNED_OUT = 'gcloud is not signed in: gcloud auth login';
export const isSignedOut = (output: string): boolean =>
  /You do not currently have an active account|[Rr]eauthentication|invalid_grant|gcloud auth (?:application-default )?login/.test(
    output,
  );

const CALL_LIMIT_MS = 90_000;
const MOST_BYTES = 32 * 1024 * 1024;

/** The `gcloud` that is found on the PATH of `env`, without its prompts. */
export const makeGcloud =
  (env: Readonly<Record<string, string | undefined>>): Gcloud =>
  (args) =>
    new Promise((resolve, reject) => {
      execFile(
        'gcloud',
        [...args],
        {
          env: { ...env, CLOUDSDK_CORE_DISABLE_PROMPTS: '1' },
          timeout: CALL_LIMIT_MS,
          maxBuffer: MOST_BYTES,
        },
        (failure, stdout, stderr) => {
          if (failure === null) resolve(stdout);
          else reject(new OpsError(explain(failure, args, stderr)));
        },
      );
    });

/** The JSON that a gcloud command answers. Throws OpsError, also for an answer of another shape. */
export const gcloudJson = async <Schema extends z.ZodType>(
  gcloud: Gcloud,
  args: readonly string[],
  schema: Schema,
): Promise<z.output<Schema>> => {
  const text = await gcloud([...args, '--format', 'json']);
  try {
    return schema.parse(printableIn(JSON.parse(text)));
  } catch (cause) {
    throw new OpsError(`gcloud ${commandOf(args)} answered something unexpected.`, { cause });
  }
};

const explain = (
  failure: Error & { code?: number | string | null; killed?: boolean },
  args: readonly string[],
  stderr: string,
): string => {
  if (failure.code === 'ENOENT') return 'gcloud is not installed or not on the PATH.';
  if (isSignedOut(stderr)) return SIGNED_OUT;
  const command = `gcloud ${commandOf(args)}`;
  if (failure.killed) return `${command} did not answer in ${CALL_LIMIT_MS / 1_000} seconds.`;
  const line = stderr
    .split('\n')
    .map((one) => one.trim())
    .find((one) => one.startsWith('ERROR:'));
  return `${command} failed: ${(line ?? 'it did not say why').slice(0, 300)}`;
};

/** The words before the first flag or value. */
const commandOf = (args: readonly string[]): string => {
  const end = args.findIndex((arg) => !/^[a-z][a-z-]*$/.test(arg));
  return args.slice(0, end === -1 ? args.length : end).join(' ');
};
