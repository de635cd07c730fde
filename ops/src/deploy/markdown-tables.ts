export interface MarkdownTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The tables of a document, cells trimmed and without the back quotes around a whole cell. No cell may hold a `|`. */
export const tablesIn = (markdown: string): MarkdownTable[] => {
  const tables: { header: string[]; rows: string[][] }[] = [];
  let open: { header: string[]; rows: string[][] } | null = null;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) open = null;
    else if (open === null) {
      open = { header: cellsOf(line), rows: [] };
      tables.push(open);
    } else if (!/^\|[\s:|-]+$/.test(line)) open.rows.push(cellsOf(line));
  }
  return tables;
};

const cellsOf = (line: string): string[] =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
