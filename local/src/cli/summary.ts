import { basename, join, relative, resolve } from 'node:path';
import type { LogLine } from '../functions/log-lines.ts';
import type { LocalStack } from '../stack.ts';
import type { CliOptions } from './options.ts';
import type { AuditRecord, SyncAnswer } from './runs.ts';

const number = new Intl.NumberFormat('en-GB');
const shown = (count: number | null | undefined): string => number.format(count ?? 0);

/** What runs where, before the run. */
export const describeStack = (stack: LocalStack): string[] => [
  'The local stack is up:',
  ...(stack.dashboardUrl === null
    ? []
    : [row('page', `${stack.dashboardUrl}  for operators, with a development sign-in`)]),
  row(
    'registry',
    `${stack.registryUrl}  ${stack.registry === null ? 'given by --django' : `stand-in, ${shown(stack.registry.summary().members)} generated members`}`,
  ),
  row('firestore', `${stack.firestore.host}:${stack.firestore.port}`),
  row('storage', stack.storage.url),
  ...(stack.postgres === null ? [] : [row('postgres', stack.postgres.url)]),
  row('auth', `${stack.auth.url}  development sign-in, unsigned tokens`),
  row('functions', `${stack.functions.url}/${stack.functions.projectId}/europe-west2/`),
  // Made up for this folder's stack alone. A given one may belong to a real registry: not shown.
  ...Object.entries(stack.madeUp).map(([name, value], n) =>
    row(n === 0 ? 'secrets' : '', `${name}=${value}`),
  ),
];

/** What happened, where to look, and what to try next. */
export const describeRun = (answer: SyncAnswer, stack: LocalStack, options: CliOptions): string[] => {
  const { record, forecast } = answer;
  if (record === null) return [`Failed: ${answer.problem}`];
  const isDecided = record.outcome !== 'blocked' && record.outcome !== 'dry-run';
  return [
    headline(record),
    ...record.warnings.map(({ message }) => row('warning', message)),
    ...(record.errorCode === null ? [] : [row('why', `${record.errorCode}: ${record.error}`)]),
    ...(record.outcome === 'published' || record.outcome === 'unchanged'
      ? [
          row('file', shortPath(join(stack.bucketFolder, 'kennitalas.txt'))),
          row('object', `gs://${basename(stack.bucketFolder)}/kennitalas.txt#${record.objectGeneration}`),
          row('sha256', String(record.sha256)),
        ]
      : []),
    ...(record.planId === null || isDecided ? [] : [row('plan id', record.planId)]),
    ...(forecast === null
      ? []
      : [row('forecast', `${forecast.firestoreWrites} Firestore writes, ${forecast.costUsd} US dollars`)]),
    row('record', `sync_audit/${record.runId}: status ${record.status}, outcome ${record.outcome}`),
    '',
    'Try next:',
    ...nextSteps(record, stack, options).map(([what, command]) => row(what, command, 24)),
  ];
};

const headline = (record: AuditRecord): string => {
  const { added, removed } = record.changes ?? { added: 0, removed: 0 };
  const members = `${shown(record.memberCount)} members`;
  const differences = `${shown(added)} added, ${shown(removed)} removed`;
  const time = `${shown(record.duration_ms)} ms`;
  switch (record.outcome) {
    case 'published':
      return `Published: ${members} (${differences}) in ${time}`;
    case 'unchanged':
      return `Unchanged: ${members}, equal to the registry, in ${time}`;
    case 'dry-run':
      return record.guard?.tripped
        ? `Dry run: the guard would refuse this plan (${differences})`
        : `Dry run: ${members} would be published (${differences})`;
    case 'blocked':
      return `Blocked: nothing was changed (${differences} asked for)`;
    case 'skipped':
      return 'Skipped: nothing was done';
    default:
      return 'Failed: nothing was published';
  }
};

/** Relative to where the person is, unless that leads up and away. */
const shortPath = (path: string): string => {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? resolve(path) : near;
};

const row = (name: string, text: string, width = 10): string => `  ${name.padEnd(width)} ${text}`;

/** What to do, and the command that does it. */
type NextStep = readonly [what: string, command: string];

/** What a person may try after a run: commands that work as they stand, against the same stack and data. */
const nextSteps = (record: AuditRecord, stack: LocalStack, options: CliOptions): NextStep[] =>
  options.exit ? afterTheEnd(record, options) : whileItRuns(record, stack, options);

export const isRefused = ({ outcome, guard }: AuditRecord): boolean =>
  outcome === 'blocked' || (outcome === 'dry-run' && guard?.tripped === true);

const afterTheEnd = (record: AuditRecord, options: CliOptions): NextStep[] => {
  const start = ['npm start --', ...sameStack(options)].join(' ');
  const { outcome, planId } = record;
  const first: NextStep = isRefused(record)
    ? ['let it through', `${start} --exit --approve ${planId} --operator NAME --reason TEXT`]
    : outcome === 'published' || outcome === 'unchanged'
      ? ['what a run would change', `${start} --exit --dry-run`]
      : [outcome === 'dry-run' ? 'publish it' : 'try again', `${start} --exit`];
  return [first, ['keep the stack up', start]];
};

/** The options that make the next command meet the same data; a token is never repeated. */
const sameStack = ({ data, django, portOffset }: CliOptions): string[] => [
  ...(data === '.local' ? [] : ['--data', quoted(data)]),
  ...(django === undefined ? [] : ['--django', quoted(django), '--token T']),
  ...(portOffset === 0 ? [] : ['--port-offset', String(portOffset)]),
];

/** As a shell reads it back. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

const whileItRuns = (record: AuditRecord, stack: LocalStack, { portOffset }: CliOptions): NextStep[] => {
  const ops = `npm run ops --${portOffset === 0 ? '' : ` --port-offset ${portOffset}`}`;
  const faults = `${stack.registryUrl}/_control/faults`;
  const steps: NextStep[] = [
    ['on the command line', `${ops} status`],
    isRefused(record)
      ? ['let it through', `${ops} approve roster ${record.planId} --operator NAME --reason TEXT`]
      : ['what a run would change', `${ops} plan roster`],
    ['run it again', `${ops} sync roster`],
  ];
  if (stack.dashboardUrl !== null) steps.unshift(["the operators' page", stack.dashboardUrl]);
  if (stack.registry === null) return steps;
  return [
    ...steps,
    ['break the registry', `curl -X POST ${faults} -d '{"drop": 300}'`],
    ['mend it', `curl -X DELETE ${faults}`],
  ];
};

/** A stack frame of a library or of Node itself: noise to who looks for the fault in this project. */
const FOREIGN_FRAME = /^\s+at .*(node_modules|node:)/;

/** One entry of the functions' log for a terminal. */
const logText = ({ severity, message }: LogLine): string => {
  const kept = message.split('\n').filter((line) => !FOREIGN_FRAME.test(line));
  return `  ${severity === 'INFO' ? '' : `${severity} `}${kept.join('\n  ')}`;
};

/** The functions' log as a person sees it: each line, or during a tour their number. */
export const makeLogView = (say: (lines: readonly string[]) => void) => {
  let counted: Map<string, number> | null = null;
  return {
    show: (line: LogLine): void => {
      if (counted === null) say([logText(line)]);
      else counted.set(line.severity, (counted.get(line.severity) ?? 0) + 1);
    },
    /** Does `work` and then says how many lines were logged, and how severe, instead of showing each. */
    counting: async <T>(instead: boolean, work: () => Promise<T>): Promise<T> => {
      if (!instead) return work();
      counted = new Map();
      try {
        return await work();
      } finally {
        const each = [...counted].map(([severity, lines]) => `${lines} ${severity}`);
        counted = null;
        if (each.length > 0) say(['', `The functions logged ${each.join(', ')}; --verbose shows each line.`]);
      }
    },
  };
};
