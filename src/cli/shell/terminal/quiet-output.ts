/** The terminal as the line editor sees it: what this draws is dropped while a command runs, so that it does not mix with replies. */
import { Writable } from 'node:stream';
import type { OutputStream } from '../../terminal/output.ts';

export class QuietOutput extends Writable {
  readonly isTTY = true;
  isQuiet = false;
  readonly #terminal: OutputStream;
  readonly #onResize = (): void => void this.emit('resize');

  constructor(terminal: OutputStream) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
    terminal.on('resize', this.#onResize);
  }

  /** A terminal that does not tell its width says 0. */
  get columns(): number {
    return this.#terminal.columns || 80;
  }

  override _write(chunk: string, _: BufferEncoding, callback: () => void): void {
    if (!this.isQuiet) this.#terminal.write(chunk);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#terminal.off('resize', this.#onResize);
    callback(error);
  }
}
