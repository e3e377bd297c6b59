/** Writes to standard output and standard error at the pace at which they are read. */
import type { Writable } from 'node:stream';

export interface OutputStream extends Writable {
  readonly isTTY?: boolean;
}

/** Whoever read the output has closed it, like `head` after its last line. There is nothing left to do. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

export class Output {
  readonly isTerminal: boolean;
  readonly #stream: OutputStream;
  readonly #errorStream: OutputStream;

  constructor(stream: OutputStream, errorStream: OutputStream) {
    this.isTerminal = stream.isTTY === true;
    this.#stream = stream;
    this.#errorStream = errorStream;
    // The callback of the write tells; without a listener the event would end the process.
    stream.on('error', () => undefined);
    errorStream.on('error', () => undefined);
  }

  /** Resolves when the text is handed over. Rejects with an `OutputClosedError` when nobody reads any more. */
  write(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length === 0) return Promise.resolve();
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
    this.#stream.write(text);
  }

  /** The same for standard error. */
  noteSoon(text: string): void {
    this.#errorStream.write(text);
  }

  /** A line for the person in front of it that is no part of the output. */
  note(line: string): void {
    this.#errorStream.write(`kelp: ${line}\n`);
  }
}

function isClosed(error: Error & { readonly code?: string }): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'].includes(error.code ?? '');
}
