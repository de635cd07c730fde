import Table from 'cli-table3';

/** A terminal as old as terminals are: every table fits. */
export const LINE_WIDTH = 80;
const GAP = '  ';

export interface Column {
  readonly head: string;
  /** Characters. What is longer goes on in the next line. */
  readonly width: number;
  readonly align?: 'left' | 'right';
}

/** One cell a column, or one text over the whole width. */
export type Row = readonly string[] | { readonly line: string };

const BARE = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((part) => [part, '']),
);

/** The lines of a table without borders. Without any heads it has no first line. */
export const tableLines = (columns: readonly Column[], rows: readonly Row[]): string[] => {
  const hasHeads = columns.some(({ head }) => head !== '');
  const table = new Table({
    chars: { ...BARE, middle: GAP },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: columns.map(({ width }) => width),
    colAligns: columns.map(({ align = 'left' }) => align),
    wordWrap: true,
    ...(hasHeads ? { head: columns.map(({ head }) => head) } : {}),
  });
  for (const row of rows) {
    table.push(
      'line' in row
        ? [{ content: row.line, colSpan: columns.length, wrapOnWordBoundary: false }]
        : row.map((content) => ({ content, wrapOnWordBoundary: content.includes(' ') })),
    );
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
};

/** Names and what they stand for, in two columns. */
export const pairLines = (
  pairs: readonly (readonly [name: string, text: string])[],
  nameWidth = 12,
): string[] =>
  pairs.length === 0
    ? []
    : tableLines(
        [
          { head: '', width: nameWidth },
          { head: '', width: LINE_WIDTH - nameWidth - GAP.length },
        ],
        pairs,
      );
