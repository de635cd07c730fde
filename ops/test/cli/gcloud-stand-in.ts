import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What it prints for a command that begins so, or `{ fails }`, what it says when it fails. */
export type Answers = Readonly<Record<string, unknown>>;

export interface GcloudStandIn {
  /** An environment in which `gcloud` is this one. */
  readonly env: Readonly<Record<string, string>>;
  /** Every command line so far. */
  calls(): Promise<string[]>;
}

/** Its own program: `gcloud` records how it is called and prints what the longest matching beginning asks for. */
const PROGRAM = `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
const folder = __dirname;
const line = process.argv.slice(2).join(' ');
appendFileSync(folder + '/calls', line + '\\n');
const answers = JSON.parse(readFileSync(folder + '/answers.json', 'utf8'));
const key = Object.keys(answers).filter((one) => line.startsWith(one)).sort((a, b) => b.length - a.length)[0];
const answer = key === undefined ? { fails: 'The test has no answer to: gcloud ' + line } : answers[key];
if (typeof answer.fails === 'string') {
  process.stderr.write(answer.fails);
  process.exit(1);
}
process.stdout.write(typeof answer === 'string' ? answer : JSON.stringify(answer));
`;

export const makeGcloudStandIn = async (answers: Answers): Promise<GcloudStandIn> => {
  const folder = await mkdtemp(join(tmpdir(), 'gcloud-'));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 5 }));
  await writeFile(join(folder, 'answers.json'), JSON.stringify(answers));
  await writeFile(join(folder, 'gcloud'), PROGRAM);
  await chmod(join(folder, 'gcloud'), 0o755);
  await writeFile(join(folder, 'calls'), '');
  return {
    env: { PATH: [folder, process.env['PATH']].join(delimiter) },
    calls: async () => (await readFile(join(folder, 'calls'), 'utf8')).split('\n').slice(0, -1),
  };
};
