import { basename, join, relative, resolve } from 'node:path';
import type { LocalStack } from '../stack.ts';
import { nextSteps } from './next-steps.ts';
import type { CliOptions } from './options.ts';
import type { AuditRecord, SyncAnswer } from './run-sync.ts';

const number = new Intl.NumberFormat('en-GB');
const shown = (count: number | null | undefined): string => number.format(count ?? 0);

/** What runs where, before the run. */
export const describeStack = (stack: LocalStack, members: number | null): string[] => [
  'The local stack is up:',
  ...(stack.dashboardUrl === null
    ? []
    : [row('page', `${stack.dashboardUrl}  for operators, with a development sign-in`)]),
  row(
    'registry',
    `${stack.registryUrl}  ${members === null ? 'given by --django' : `stand-in, ${shown(members)} generated members`}`,
  ),
  row('firestore', `${stack.firestore.host}:${stack.firestore.port}`),
  row('storage', stack.storage.url),
  ...(stack.postgres === null ? [] : [row('postgres', stack.postgres.url)]),
  row('auth', `${stack.auth.url}  development sign-in, unsigned tokens`),
  row('functions', `${stack.functions.url}/${stack.functions.projectId}/europe-west2/`),
  ...describeSecrets(stack),
];

/** Those that were made up, for this folder's stack alone. A given one may belong to a real registry: not shown. */
const describeSecrets = ({ madeUp }: LocalStack): string[] =>
  Object.entries(madeUp).map(([name, value], n) => row(n === 0 ? 'secrets' : '', `${name}=${value}`));

/** What happened, where to look, and what to try next. */
export const describeRun = (answer: SyncAnswer, stack: LocalStack, options: CliOptions): string[] => {
  const { record } = answer;
  if (record === null) return [`Failed: ${answer.problem}`];
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
    ...(record.planId !== null && isUndecided(record) ? [row('plan id', record.planId)] : []),
    ...(answer.forecast === null
      ? []
      : [
          row(
            'forecast',
            `${answer.forecast.firestoreWrites} Firestore writes, ${answer.forecast.costUsd} US dollars`,
          ),
        ]),
    row('record', `sync_audit/${record.runId}: status ${record.status}, outcome ${record.outcome}`),
    '',
    'Try next:',
    ...nextSteps(record, stack, options).map(([what, command]) => row(what, command, 24)),
  ];
};

const isUndecided = (record: AuditRecord): boolean =>
  record.outcome === 'blocked' || record.outcome === 'dry-run';

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
