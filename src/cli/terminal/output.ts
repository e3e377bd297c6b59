/** Writes to standard output and standard error at the pace at which they are read. */
import type { Writable } from 'node:stream';

export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
  /** Of a terminal: the width and the height. */
  readonly columns?: number;
  readonly rows?: number;
}

/** The reader of the output has closed it, like `head` after its last line. There is nothing left to do. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

export class Output {
  readonly isTerminal: boolean;
  /** Whether standard error is a terminal, on which a line can be written anew. */
  readonly isErrorTerminal: boolean;
  readonly #stream: OutputStream;
  readonly #errorStream: OutputStream;
  #hasStatus = false;

  constructor(stream: OutputStream, errorStream: OutputStream) {
    this.isTerminal = stream.isTTY === true;
    this.isErrorTerminal = errorStream.isTTY === true;
    this.#stream = stream;
    this.#errorStream = errorStream;
    // The callback of the write tells; without a listener the event would end the process.
    stream.on('error', () => undefined);
    errorStream.on('error', () => undefined);
  }

  /** Of the terminal that standard output is. One that does not tell says 0. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  get rows(): number {
    return this.#stream.rows || 24;
  }

  /** For an editor, which draws on the terminal by itself. */
  get stream(): OutputStream {
    return this.#stream;
  }

  /** Resolves when the text is handed over. Rejects with an `OutputClosedError` when its reader has closed it. */
  write(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length === 0) return Promise.resolve();
    if (this.isTerminal) this.clearStatus();
    return new Promise((resolve, reject) => {
      this.#stream.write(chunk, (error) => {
        if (!error) resolve();
        else if (isClosed(error)) reject(new OutputClosedError('the output is closed', { cause: error }));
        else reject(error);
      });
    });
  }

  writeLine(line: string): Promise<void> {
    return this.write(`${line}\n`);
  }

  writeJson(value: unknown): Promise<void> {
    return this.writeLine(JSON.stringify(value));
  }

  /** For texts that come before the end of a command anyway. */
  writeSoon(text: string): void {
    if (this.isTerminal) this.clearStatus();
    this.#stream.write(text);
  }

  /** Like `writeSoon`, to standard error. */
  noteSoon(text: string): void {
    this.clearStatus();
    this.#errorStream.write(text);
  }

  /** A line for the person in front of it that is no part of the output. */
  note(line: string): void {
    this.noteSoon(`kelp: ${line}\n`);
  }

  /**
   * Shows a line on the terminal that standard error is, in place of the one that this showed before; it goes as soon as
   * anything else is written there.
   */
  showStatus(line: string): void {
    // A terminal that does not tell its width says 0.
    const widthMax = (this.#errorStream.columns || 80) - 1;
    this.#errorStream.write(`\r${cut(line, widthMax)}${ERASE_REST}`);
    this.#hasStatus = true;
  }

  clearStatus(): void {
    if (!this.#hasStatus) return;
    this.#hasStatus = false;
    this.#errorStream.write(`\r${ERASE_REST}`);
  }
}

/** Erases from the cursor to the end of its line (ECMA-48, EL). */
const ERASE_REST = '\u001b[K';

/** A line that wraps could not be written anew. Whatever is no ASCII may take two columns. */
function cut(line: string, widthMax: number): string {
  let width = 0;
  let end = 0;
  for (const character of line) {
    width += character < '\u007f' ? 1 : 2;
    if (width > widthMax) return line.slice(0, end);
    end += character.length;
  }
  return line;
}

function isClosed(error: Error & { readonly code?: string }): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'].includes(error.code ?? '');
}
