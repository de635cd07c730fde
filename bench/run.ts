import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Benchmark } from './lib/benchmark.ts';
import { type CommandLine, parseCommandLine } from './lib/options.ts';
import { isMet, printReport } from './lib/print-report.ts';

/** Every folder beside this file that holds a `main.ts` is a benchmark. */
const NAMES = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`${import.meta.dirname}/${entry.name}/main.ts`))
  .map(({ name }) => name)
  .sort();

const HELP = `npm run bench -- [names…] [options]

Benchmarks: ${NAMES.join(', ')} (all of them without a name)

  --sizes 2216,10000   input sizes instead of the benchmark's own
  --rounds N           measurements of each kind instead of the benchmark's own
  --json               one JSON document on stdout, with every single measurement
  --check              exit code 1 when a goal is missed
`;

const main = async ({ names, sizes, rounds, json, check }: CommandLine): Promise<number> => {
  const machine = { cores: availableParallelism(), node: process.version };
  const reports = [];
  for (const name of names.length > 0 ? names : NAMES) {
    const { default: run } = (await import(`./${name}/main.ts`)) as { default: Benchmark };
    const report = await run({ sizes, rounds, note: (line) => console.error(`${name}: ${line}`) });
    if (!json) console.log(`${printReport(name, report)}\n`);
    reports.push({ name, ...report });
  }
  if (json) console.log(JSON.stringify({ machine, reports }, null, 2));
  else console.log(`${machine.cores} cores, Node ${machine.node}`);

  const areMet = reports.every(({ goals }) => goals.every(isMet));
  return check && !areMet ? 1 : 0;
};

/** Null when the person at the keyboard has been told what to do instead. */
const readCommandLine = (): CommandLine | null => {
  try {
    const commandLine = parseCommandLine(process.argv.slice(2), NAMES);
    if (!commandLine.help) return commandLine;
    console.log(HELP);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
    process.exitCode = 1;
  }
  return null;
};

const commandLine = readCommandLine();
if (commandLine !== null) process.exitCode = await main(commandLine);
