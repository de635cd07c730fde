import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What gcloud 528 prints where nobody is signed in, as it was recorded. */
export const SIGNED_OUT_OUTPUT = `ERROR: (gcloud.auth.print-access-token) You do not currently have an active account selected.
Please run:

  $ gcloud auth login

to obtain new credentials.

If you have already logged in with a different account, run:

  $ gcloud config set account ACCOUNT

to select an already authenticated account to use.
`;

export interface Answer {
  /** A part of the command line. The first answer whose part is found is given. */
  readonly to: string;
  readonly print?: string;
  readonly status?: number;
}

export interface StandIns {
  /** For the commands under test: the stand-ins before what the system has. */
  readonly env: NodeJS.ProcessEnv;
  /** Every command line so far, in order. */
  calls(): Promise<string[]>;
  /** Answers that come before the ones so far. */
  answer(...answers: readonly Answer[]): Promise<void>;
  forget(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Programs of these names that record how they are called and answer what they are told; a call without an answer prints
 * nothing and succeeds, as a change does. Shell scripts, since a deployment makes dozens of calls.
 */
export const makeStandIns = async (
  names: readonly string[],
  answers: readonly Answer[] = [],
): Promise<StandIns> => {
  const folder = await mkdtemp(join(tmpdir(), 'stand-ins-'));
  const log = join(folder, 'calls.log');
  let given: readonly Answer[] = answers;
  const { DATABASE_USER: _, ...environment } = process.env;
  const write = async (): Promise<void> => {
    await Promise.all(
      given.map(({ print = '' }, index) => writeFile(join(folder, `answer-${index}`), print)),
    );
    const cases = given.map(
      ({ to, status = 0 }, index) =>
        `  *${quoted(to)}*) cat '${folder}/answer-${index}'${status === 0 ? '' : ' >&2'}; exit ${status};;`,
    );
    await Promise.all(
      names.map(async (name) => {
        const file = join(folder, name);
        const script = [
          '#!/bin/sh',
          // The one variable that is handed to a command on purpose is recorded with it.
          `line="\${DATABASE_USER:+DATABASE_USER=$DATABASE_USER }${name} $*"`,
          `printf '%s\\n' "$line" >> '${log}'`,
          'case "$line" in',
          ...cases,
          'esac',
        ];
        await writeFile(file, `${script.join('\n')}\n`);
        await chmod(file, 0o755);
      }),
    );
  };
  await writeFile(log, '');
  await write();
  return {
    env: { ...environment, PATH: `${folder}:/usr/bin:/bin` },
    calls: async () => (await readFile(log, 'utf8')).split('\n').filter((line) => line !== ''),
    answer: async (...more) => {
      given = [...more, ...given];
      await write();
    },
    forget: () => writeFile(log, ''),
    remove: () => rm(folder, { recursive: true, maxRetries: 5 }),
  };
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
