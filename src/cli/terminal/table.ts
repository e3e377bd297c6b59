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
  async format(rows: readonly (readonly string[])[]): Promise<string> {
    const widthOf = await widthFor(rows.flat());
    for (const row of rows) {
      for (const [index, cell] of row.entries()) {
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, widthOf(cell));
      }
    }
    const header = this.#hasHeader ? [] : [this.#columns.map(({ title }) => title)];
    this.#hasHeader = true;
    return [...header, ...rows].map((row) => `${this.#line(row, widthOf)}\n`).join('');
  }

  #line(row: readonly string[], widthOf: WidthOf): string {
    const cells = row.map((cell, index) => {
      const padding = ' '.repeat((this.#widths[index] ?? 0) - widthOf(cell));
      return this.#columns[index]?.isNumber ? padding + cell : cell + padding;
    });
    return cells.join('  ').trimEnd();
  }
}

/** How many columns of a terminal a text takes. */
type WidthOf = (text: string) => number;

/** The tables of Unicode take longer to load than most commands to run, so only for texts that need them. */
async function widthFor(texts: readonly string[]): Promise<WidthOf> {
  if (texts.every((text) => /^[\x20-\x7e]*$/.test(text))) return (text) => text.length;
  return (await import('string-width')).default;
}

/** Each line as much as fits into a width, so that none wraps. */
export async function fitLines(lines: readonly string[], width: number): Promise<string[]> {
  const widthOf = await widthFor(lines);
  return lines.map((line) => (widthOf(line) <= width ? line : cutLine(line, width, widthOf)));
}

function cutLine(line: string, width: number, widthOf: WidthOf): string {
  let left = width;
  let end = 0;
  // What a person sees as one character may be several, whose widths do not add up.
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    left -= widthOf(segment);
    if (left < 0) break;
    end += segment.length;
  }
  return line.slice(0, end);
}

/** What a name is, each in a line: the right column lines up. */
export function formatFacts(facts: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  return Object.entries(facts)
    .map(([name, fact]) => `${name.padEnd(width)}  ${fact}\n`)
    .join('');
}
