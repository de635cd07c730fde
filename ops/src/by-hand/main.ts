import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { GUARD_TEXT } from '../../../functions/src/mirror/guard.ts';
import { EXIT_CODES } from '../cli/exit-codes.ts';
import { counted } from '../cli/text.ts';
import { wholeNumber } from '../cli/whole-number.ts';
import { parseProject } from '../deploy/parse-options.ts';
import { ROOT } from '../deploy/root.ts';
import { readSettings } from '../deploy/settings.ts';
import { type CheckedList, checkList } from './check-list.ts';
import { readExport } from './read-export.ts';
import { uploadCommand } from './upload-command.ts';

const EXAMPLE = `
For the day when everything else is down: docs/runbook.md, "Manual fallback". It
needs no network, judges as a run of the roster does, and names nobody.

Exit codes: 0 the list is written, 2 the guard refuses it, 1 anything else.

Example:
  npm run by-hand -- --project P --export export.json --published published.txt \\
    --generation 1795402800123456 --out kennitalas.txt`;

interface Options {
  readonly project: string;
  readonly export: string;
  readonly published?: string;
  readonly generation?: string;
  readonly count?: number;
  readonly out: string;
  readonly accept: boolean;
  readonly settings: string;
}

const options = new Command()
  .name('npm run by-hand --')
  .description('Makes a list from an export of the registry, checks it, and shows how to publish it.')
  .requiredOption('--project <id>', 'the project, whose settings have the limits', parseProject)
  .requiredOption('--export <file>', "the registry's export: its JSON, or one kennitala a line")
  .option('--published <file>', 'the list as it is published now; without it, there must be none')
  .option('--generation <number>', 'the version of that list')
  .option('--count <n>', 'how many members the registry says that it has', wholeNumber(0, 10_000_000))
  .requiredOption('--out <file>', 'the list to write; it must not exist')
  .option('--accept', 'write it although the guard refuses it: somebody has looked', false)
  .option('--settings <folder>', 'the folder of .env.<project>', join(ROOT, 'functions'))
  .addHelpText('after', EXAMPLE)
  .parse()
  .opts<Options>();

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const report = ({ memberCount, changes, verdict, warnings }: CheckedList): void => {
  say(`${counted(memberCount, 'member')}: ${changes.added} added, ${changes.removed} removed`);
  for (const warning of warnings) say(`warning: ${warning}`);
  for (const { rule, count, allowed } of verdict.findings) {
    say(`guard: ${count} ${GUARD_TEXT[rule]}; allowed are ${allowed}`);
  }
};

const run = async (): Promise<number> => {
  const { published, generation } = options;
  if ((published === undefined) !== (generation === undefined)) {
    throw new Error('--published and --generation belong together.');
  }
  const { config } = await readSettings(options.settings, options.project);
  const exported = readExport(await readFile(options.export, 'utf8'), options.count ?? null);
  const held = published === undefined ? null : await readFile(published);
  const checked = checkList(exported, held, config.guard);
  report(checked);
  if (checked.verdict.tripped && !options.accept) {
    say('Refused: nothing was written. If it is right, and somebody else has looked too: --accept');
    return EXIT_CODES.blocked;
  }
  const file = resolve(options.out);
  await writeFile(file, checked.bytes, { flag: 'wx', mode: 0o600 });
  const place = { file, bucket: config.bucket, object: config.rosterObject, now: new Date() };
  say(`Written: ${file}. To publish it:`);
  say(`  ${uploadCommand(checked, { ...place, generation: generation ?? '0' })}`);
  return EXIT_CODES.done;
};

try {
  process.exitCode = await run();
} catch (cause) {
  say(`FAILED: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exitCode = EXIT_CODES.failed;
}
