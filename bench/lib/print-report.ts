import type { BenchReport, Goal, Table } from './benchmark.ts';

export const isMet = ({ measured, atMost }: Goal): boolean => measured <= atMost;

/** The report as text for a terminal. */
export const printReport = (name: string, report: BenchReport): string =>
  [
    ...report.tables.map((table) => `${name}: ${table.title}\n\n${printTable(table)}`),
    report.goals.map(printGoal).join('\n'),
  ].join('\n\n');

const printTable = ({ columns, rows }: Table): string => {
  const widths = columns.map((column, n) =>
    Math.max(column.length, ...rows.map((row) => row[n]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, n) => (n === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
};

const printGoal = (goal: Goal): string =>
  `${isMet(goal) ? 'goal met   ' : 'goal missed'}  ${goal.what}: ${goal.measured.toFixed(2)} ${goal.unit}, at most ${goal.atMost} ${goal.unit}`;
