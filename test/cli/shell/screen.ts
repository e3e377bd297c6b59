/**
 * What a terminal shows of what a program writes: as much of a VT100 as the line editor of Node needs. What it does not know
 * it refuses, so that no test passes by what this has overlooked. Lines that scroll away are kept.
 */
export class Screen {
  bellCount = 0;
  readonly #columns: number;
  readonly #rows: number;
  /** From the first line that was ever shown. */
  readonly #lines: string[][] = [[]];
  /** Of the screen within these. */
  #top = 0;
  #row = 0;
  #column = 0;
  /** The beginning of an escape sequence whose end has not come. */
  #pending = '';

  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  write(text: string): void {
    let rest = this.#pending + text;
    this.#pending = '';
    while (rest !== '') {
      const [piece = '', parameters, final] = nextPiece.exec(rest) ?? [];
      if (piece === '') {
        if (!unfinished.test(rest)) throw new Error(`unknown to the screen: ${JSON.stringify(rest)}`);
        this.#pending = rest;
        return;
      }
      rest = rest.slice(piece.length);
      if (final === undefined) this.#put(piece);
      else this.#control(parameters ?? '', final);
    }
  }

  /** All lines that were shown, without blanks at their ends; the last one is that of the cursor or below it. */
  get lines(): string[] {
    const lines = this.#lines.map((line) =>
      Array.from(line, (cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
    while (lines.length > this.#row + 1 && lines.at(-1) === '') lines.pop();
    return lines;
  }

  get cursor(): { readonly line: string; readonly column: number } {
    return { line: this.lines[this.#row] ?? '', column: this.#column };
  }

  #put(character: string): void {
    switch (character) {
      case '\r':
        this.#column = 0;
        return;
      case '\n':
        this.#goTo(this.#row + 1);
        return;
      case '\b':
        this.#column = Math.max(0, this.#column - 1);
        return;
      case '\t':
        this.#column = Math.min(this.#columns - 1, (Math.floor(this.#column / 8) + 1) * 8);
        return;
      case '\u0007':
        this.bellCount++;
        return;
      default:
    }
    if (character < ' ') throw new Error(`unknown to the screen: ${JSON.stringify(character)}`);
    // The cursor stays behind the last column until something follows.
    if (this.#column === this.#columns) {
      this.#column = 0;
      this.#goTo(this.#row + 1);
    }
    this.#lineAt(this.#row)[this.#column++] = character;
  }

  #control(parameters: string, final: string): void {
    const count = Number(parameters || '1');
    switch (final) {
      case 'A':
        this.#row = Math.max(this.#top, this.#row - count);
        break;
      case 'B':
        this.#row = Math.min(this.#top + this.#rows - 1, this.#row + count);
        break;
      case 'C':
        this.#column = Math.min(this.#columns - 1, this.#column + count);
        break;
      case 'D':
        this.#column = Math.max(0, this.#column - count);
        break;
      case 'G':
        this.#column = count - 1;
        break;
      case 'J':
        if (!['', '0'].includes(parameters)) throw new Error(`unknown to the screen: CSI ${parameters}J`);
        this.#lineAt(this.#row).length = Math.min(this.#lineAt(this.#row).length, this.#column);
        this.#lines.length = this.#row + 1;
        break;
      case 'K':
        if (!['', '0'].includes(parameters)) throw new Error(`unknown to the screen: CSI ${parameters}K`);
        this.#lineAt(this.#row).length = Math.min(this.#lineAt(this.#row).length, this.#column);
        break;
      default:
        throw new Error(`unknown to the screen: CSI ${parameters}${final}`);
    }
  }

  #goTo(row: number): void {
    this.#row = row;
    this.#top = Math.max(this.#top, row - this.#rows + 1);
    this.#lineAt(row);
  }

  #lineAt(row: number): string[] {
    while (this.#lines.length <= row) this.#lines.push([]);
    return this.#lines[row] ?? [];
  }
}

const ESCAPE = '\u001b';
/** A control sequence (ECMA-48) with its parameters and its final letter, or a character. */
const nextPiece = new RegExp(`^(?:${ESCAPE}\\[([\\d;?]*)([A-Za-z])|[^${ESCAPE}])`, 'u');
const unfinished = new RegExp(`^${ESCAPE}(?:\\[[\\d;?]*)?$`);
