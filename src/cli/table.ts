/** Rows in columns that line up. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** Writes a table in several parts, as they come: columns get wider where a later part needs it. */
export class Table {
  readonly #columns: readonly Column[];
  readonly #widths: number[];
  #hasHeader = false;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#widths = columns.map(({ title }) => title.length);
  }

  /** The next part, with the header before the first; each row holds one text for each column. */
  format(rows: readonly (readonly string[])[]): string {
    for (const row of rows) {
      for (const [index, cell] of row.entries()) {
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, characterCount(cell));
      }
    }
    const header = this.#hasHeader ? [] : [this.#columns.map(({ title }) => title)];
    this.#hasHeader = true;
    return [...header, ...rows].map((row) => `${this.#line(row)}\n`).join('');
  }

  #line(row: readonly string[]): string {
    const cells = row.map((cell, index) => {
      const padding = ' '.repeat((this.#widths[index] ?? 0) - characterCount(cell));
      return this.#columns[index]?.isNumber ? padding + cell : cell + padding;
    });
    return cells.join('  ').trimEnd();
  }
}

/** What a name is, each in a line: the right column lines up. */
export function formatFacts(facts: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  return Object.entries(facts)
    .map(([name, fact]) => `${name.padEnd(width)}  ${fact}\n`)
    .join('');
}

function characterCount(text: string): number {
  return Array.from(text).length;
}
