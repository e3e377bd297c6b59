/** The memory for reading the log beside its writer: a few buffers for all readers, lent to one after the other. */
import { PIECE_BYTES } from './frame-cursor.ts';

/** Who reads the log beside writers decodes a piece in one go: it is short, so that they wait a millisecond or two. */
const READER_PIECE_BYTES = PIECE_BYTES / 4;
/** As many reads as the thread pool of Node runs at once, by default. */
const BUFFERS_MAX = 4;

/**
 * The buffers that all readers of a log read with: however many watchers fall behind, no more than these are in use,
 * and the others wait their turn.
 */
export class PieceBuffers {
  readonly #free: Buffer[] = [];
  #madeCount = 0;
  readonly #waiting: ((buffer: Buffer) => void)[] = [];

  async take(): Promise<Buffer> {
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    if (this.#madeCount < BUFFERS_MAX) {
      this.#madeCount++;
      return Buffer.allocUnsafe(READER_PIECE_BYTES);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
