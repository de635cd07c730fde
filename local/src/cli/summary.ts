import { relative } from 'node:path';
import { BUCKET, type LocalStack } from '../stack.ts';
import type { CliOptions } from './options.ts';
import type { Record, SyncAnswer } from './run-sync.ts';

const number = new Intl.NumberFormat('en-GB');
const shown = (count: number | null | undefined): string => number.format(count ?? 0);

/** What runs where, before the run. */
export const describeStack = (stack: LocalStack, members: number | null): string[] => [
  'The local stack is up:',
  row(
    'registry',
    `${stack.registryUrl}  ${members === null ? 'given by --django' : `stand-in, ${shown(members)} generated members`}`,
  ),
  row('firestore', `${stack.firestore.host}:${stack.firestore.port}`),
  row('storage', stack.storage.url),
  row('auth', `${stack.auth.url}  development sign-in, unsigned tokens`),
  row('functions', `${stack.functions.url}/${stack.functions.projectId}/europe-west2/`),
];

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
          row('file', `${relative(process.cwd(), stack.bucketFolder) || '.'}/kennitalas.txt`),
          row('object', `gs://${BUCKET}/kennitalas.txt#${record.objectGeneration}`),
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
    ...nextSteps(record, stack, options),
  ];
};

const isUndecided = (record: Record): boolean => record.outcome === 'blocked' || record.outcome === 'dry-run';

const headline = (record: Record): string => {
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
      return `Dry run: ${members} would be published (${differences})${record.guard?.tripped ? '; the guard would refuse it' : ''}`;
    case 'blocked':
      return `Blocked: nothing was changed (${differences} asked for)`;
    case 'skipped':
      return 'Skipped: nothing was done';
    default:
      return 'Failed: nothing was published';
  }
};

const nextSteps = (record: Record, stack: LocalStack, options: CliOptions): string[] => {
  const steps: [string, string][] = [];
  if (
    record.planId !== null &&
    (record.outcome === 'blocked' || (record.outcome === 'dry-run' && record.guard?.tripped))
  ) {
    steps.push(['let it through', `npm start -- --approve ${record.planId} --operator NAME --reason TEXT`]);
  }
  if (!options.exit) {
    const functionsUrl = `${stack.functions.url}/${stack.functions.projectId}/europe-west2`;
    steps.push(['run it again', `curl -X POST ${functionsUrl}/syncMemberList`]);
    if (stack.registry !== null) {
      const control = `${stack.registryUrl}/_control`;
      steps.push([
        'break the registry',
        `curl -X POST ${control}/faults -H 'content-type: application/json' -d '{"drop": 300}'`,
      ]);
      steps.push(['mend it', `curl -X DELETE ${control}/faults`]);
    }
  } else {
    steps.push(['what a run would change', 'npm start -- --dry-run --exit']);
  }
  return steps.length === 0
    ? []
    : ['', 'Try next:', ...steps.map(([what, command]) => row(what, command, 24))];
};

const row = (name: string, text: string, width = 10): string => `  ${name.padEnd(width)} ${text}`;
