import type { LocalStack } from '../stack.ts';
import type { CliOptions } from './options.ts';
import type { AuditRecord } from './run-sync.ts';

/** What to do, and the command that does it. */
export type NextStep = readonly [what: string, command: string];

/** What a person may try after a run: commands that work as they stand, against the same stack and data. */
export const nextSteps = (record: AuditRecord, stack: LocalStack, options: CliOptions): NextStep[] =>
  options.exit ? afterTheEnd(record, options) : whileItRuns(record, stack, options);

const isRefused = ({ outcome, guard }: AuditRecord): boolean =>
  outcome === 'blocked' || (outcome === 'dry-run' && guard?.tripped === true);

const afterTheEnd = (record: AuditRecord, options: CliOptions): NextStep[] => {
  const start = ['npm start --', ...sameStack(options)].join(' ');
  if (isRefused(record)) {
    return [
      ['let it through', `${start} --exit --approve ${record.planId} --operator NAME --reason TEXT`],
      ['keep the stack up', start],
    ];
  }
  return [FOLLOW_UPS[record.outcome ?? ''] ?? ['try again', '--exit'], ['keep the stack up', '']].map(
    ([what = '', flags = '']) => [what, `${start} ${flags}`.trim()],
  );
};

const FOLLOW_UPS: Readonly<{ [outcome: string]: NextStep }> = {
  published: ['what a run would change', '--exit --dry-run'],
  unchanged: ['what a run would change', '--exit --dry-run'],
  'dry-run': ['publish it', '--exit'],
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
  const ops = ['npm run ops --', ...(portOffset === 0 ? [] : ['--port-offset', String(portOffset)])].join(
    ' ',
  );
  const faults = `${stack.registryUrl}/_control/faults`;
  return [
    ...(stack.dashboardUrl === null ? [] : [["the operators' page", stack.dashboardUrl] as const]),
    ['on the command line', `${ops} status`],
    ...(isRefused(record)
      ? [['let it through', `${ops} approve roster ${record.planId} --operator NAME --reason TEXT`] as const]
      : [['what a run would change', `${ops} plan roster`] as const]),
    ['run it again', `${ops} sync roster`],
    ...(stack.registry === null
      ? []
      : [
          ['break the registry', `curl -X POST ${faults} -d '{"drop": 300}'`] as const,
          ['mend it', `curl -X DELETE ${faults}`] as const,
        ]),
  ];
};
